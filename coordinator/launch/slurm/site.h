// SPDX-License-Identifier: Apache-2.0
// A cluster's site file (TOML): how allocations are requested. slurm/ has examples, docs/slurm.md
// every key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/object_reader.h"

namespace remixer::coordinator::slurm {

// [allocation]: what one allocation (a Slurm job, or an element of a job array) asks for. Empty
// texts leave a choice to Slurm.
struct Allocation {
  std::string partition, account, qos, constraint, reservation;
  std::string gres;              // a node, as "gpu:a100:4"
  std::string memory;            // a node, as "64G"
  std::string time = "1:00:00";  // the limit, in any of Slurm's forms
  int64_t nodes = 1, ranks_per_node = 1, cpus_per_rank = 1;
  std::vector<std::string> options;  // further options of sbatch, as "--exclude=n13"
};

// [worker]: how the workers are started inside an allocation.
struct Workers {
  int64_t workers = 1;            // side by side, each on an equal share of the ranks
  std::string launcher = "srun";  // or "mpirun"
  std::string mpi = "pmix";       // srun's --mpi
  std::vector<std::string> launcher_options;
  std::string program;          // empty: remixer-worker beside remixer
  int64_t loader_threads = 0;   // a rank; 0: from the processors that it has
  std::string device = "auto";  // auto: cuda where the allocation asks for GPUs
};

// [environment]: what an allocation prepares before it starts workers.
struct Environment {
  std::vector<std::string> modules;    // for `module load`
  std::vector<std::string> variables;  // "NAME=value"
  std::vector<std::string> before;     // lines of bash
};

// [container]: where workers run inside one. Without a runtime, none.
struct Container {
  std::string runtime;  // "apptainer", "singularity" or "pyxis"
  std::string image;
  std::vector<std::string> mounts;   // beside the workspace, as "/data" or "/data:/data:ro"
  std::vector<std::string> options;  // further options of the runtime, as "--nv"
};

// [queue]: how many allocations, and when.
struct QueueRules {
  int64_t maximum = 4;              // allocations at once, waiting ones included
  int64_t backlog = 2;              // that may wait in Slurm's queue at once
  double idle_seconds = 300;        // a worker without work ends after so long
  double checkpoint_seconds = 120;  // before the time limit, for workers to write checkpoints
  double patience_seconds = 900;    // a worker ends when no daemon has answered for so long
  double worth_seconds = 60;        // of work, at least, for which an allocation is asked for
  double poll_seconds = 10;         // between looks at Slurm's queue
  int64_t submit_failures = 5;      // in a row, after which nothing more is submitted
  int64_t start_failures = 3;       // allocations in a row in which no worker came up
  bool array = true;                // several allocations are asked for as one job array
};

// [daemon]: the job of `remixer slurm daemon`. Empty texts: as [allocation] has them.
struct DaemonJob {
  std::string partition, account, qos;
  std::string time = "1-00:00:00";  // it puts itself back into the queue before this is over
  std::string memory = "2G";
  std::string address = "auto";      // where it listens: an address, a host name or an interface
  std::string state_folder;          // for the database, on a disk of the node; see docs/slurm.md
  std::vector<std::string> options;  // further options of sbatch
};

struct Site {
  Allocation allocation;
  Workers worker;
  Environment environment;
  Container container;
  QueueRules queue;
  DaemonJob daemon;

  // GPUs of a node that the allocation asks for: 0 for none, nothing where it asks for them in a
  // way that does not say how many a node has.
  std::optional<int64_t> gpus_per_node() const;
  // The workers' --device: an allocation that asked for GPUs must not train on the CPU.
  std::string device() const;
  int64_t ranks() const { return allocation.nodes * allocation.ranks_per_node; }
  int64_t ranks_per_worker() const { return ranks() / worker.workers; }
  double seconds() const;  // of allocation.time
};

// Seconds of a time limit as Slurm writes it: "90" (minutes), "1:30:00", "2-12", "2-12:00:00", ...
// Throws InputError for anything else, UNLIMITED included.
double limit_seconds(const std::string& text);

// The parts of a --gres: "gpu:a100:4,nvme" → {"gpu:a100", 4}, {"nvme", 1}.
std::vector<std::pair<std::string, int64_t>> generic_resources(const std::string& gres);

// Throws InputError naming what cannot work together.
void check_site(const Site& site);

// Reads a site's file, checked. `file` is what messages call it. Throws InputError "FILE:LINE:
// ...", with a suggestion where a key is unknown.
Site read_site(const std::string& text, const std::string& file);

// As JSON: how a site travels to a running daemon, and is kept. site_from_json throws InputError.
Json to_json(const Site& site);
Site site_from_json(const Json& json);

template <typename V>
void describe(V& v, FieldsOf<V, Allocation>& m) {
  v("partition", m.partition);
  v("account", m.account);
  v("qos", m.qos);
  v("constraint", m.constraint);
  v("reservation", m.reservation);
  v("gres", m.gres);
  v("memory", m.memory);
  v("time", m.time);
  v("nodes", m.nodes);
  v("ranks_per_node", m.ranks_per_node);
  v("cpus_per_rank", m.cpus_per_rank);
  v("options", m.options);
}
template <typename V>
void describe(V& v, FieldsOf<V, Workers>& m) {
  v("workers", m.workers);
  v("launcher", m.launcher);
  v("mpi", m.mpi);
  v("launcher_options", m.launcher_options);
  v("program", m.program);
  v("loader_threads", m.loader_threads);
  v("device", m.device);
}
template <typename V>
void describe(V& v, FieldsOf<V, Environment>& m) {
  v("modules", m.modules);
  v("variables", m.variables);
  v("before", m.before);
}
template <typename V>
void describe(V& v, FieldsOf<V, Container>& m) {
  v("runtime", m.runtime);
  v("image", m.image);
  v("mounts", m.mounts);
  v("options", m.options);
}
template <typename V>
void describe(V& v, FieldsOf<V, QueueRules>& m) {
  v("maximum", m.maximum);
  v("backlog", m.backlog);
  v("idle_seconds", m.idle_seconds);
  v("checkpoint_seconds", m.checkpoint_seconds);
  v("patience_seconds", m.patience_seconds);
  v("worth_seconds", m.worth_seconds);
  v("poll_seconds", m.poll_seconds);
  v("submit_failures", m.submit_failures);
  v("start_failures", m.start_failures);
  v("array", m.array);
}
template <typename V>
void describe(V& v, FieldsOf<V, DaemonJob>& m) {
  v("partition", m.partition);
  v("account", m.account);
  v("qos", m.qos);
  v("time", m.time);
  v("memory", m.memory);
  v("address", m.address);
  v("state_folder", m.state_folder);
  v("options", m.options);
}
template <typename V>
void describe(V& v, FieldsOf<V, Site>& m) {
  v("allocation", m.allocation);
  v("worker", m.worker);
  v("environment", m.environment);
  v("container", m.container);
  v("queue", m.queue);
  v("daemon", m.daemon);
}

}  // namespace remixer::coordinator::slurm
