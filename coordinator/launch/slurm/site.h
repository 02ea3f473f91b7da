// SPDX-License-Identifier: Apache-2.0
// A cluster's site file (TOML): how allocations are requested. slurm/ has examples, docs/slurm.md
// documents every key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/object_reader.h"

namespace remixer::coordinator::slurm {

// [allocation]: resources of one allocation (a Slurm job, or an element of a job array). Empty
// strings leave a choice to Slurm.
struct Allocation {
  std::string partition, account, qos, constraint, reservation;
  std::string gres;              // per node, such as "gpu:a100:4"
  std::string memory;            // per node, such as "64G"
  std::string time = "1:00:00";  // the limit, in any of Slurm's formats
  int64_t nodes = 1, ranks_per_node = 1, cpus_per_rank = 1;
  std::vector<std::string> options;  // further sbatch options, such as "--exclude=n13"
};

// [worker]: how workers are started inside an allocation.
struct Workers {
  int64_t workers = 1;            // in parallel, each on an equal share of the ranks
  std::string launcher = "srun";  // or "mpirun"
  std::string mpi = "pmix";       // srun's --mpi
  std::vector<std::string> launcher_options;
  std::string program;          // empty: remixer-worker beside remixer
  int64_t loader_threads = 0;   // per rank; 0: from the available cores
  std::string device = "auto";  // auto: cuda if the allocation requests GPUs
};

// [environment]: how an allocation prepares before it starts workers.
struct Environment {
  std::vector<std::string> modules;    // for `module load`
  std::vector<std::string> variables;  // "NAME=value"
  std::vector<std::string> before;     // lines of bash to run
};

// [container]: the container that workers run in. No runtime: no container.
struct Container {
  std::string runtime;  // "apptainer", "singularity" or "pyxis"
  std::string image;
  std::vector<std::string> mounts;   // besides the workspace, such as "/data" or "/data:/data:ro"
  std::vector<std::string> options;  // further options of the runtime, such as "--nv"
};

// [queue]: number and timing of allocations.
struct QueueRules {
  int64_t maximum = 4;              // allocations at once, including waiting ones
  int64_t backlog = 2;              // maximum waiting in Slurm's queue at once
  double idle_seconds = 300;        // a worker without work ends after this time
  double checkpoint_seconds = 120;  // before the time limit, for workers to write checkpoints
  double patience_seconds = 900;    // a worker ends if no daemon has answered for this long
  double worth_seconds = 60;        // minimum work for which an allocation is requested
  double poll_seconds = 10;         // interval of checks of Slurm's queue
  int64_t submit_failures = 5;      // consecutive failures after which nothing more is submitted
  int64_t start_failures = 3;       // consecutive allocations in which no worker started
  bool array = true;                // request several allocations as one job array
};

// [daemon]: the job of `remixer slurm daemon`. Empty strings: as in [allocation].
struct DaemonJob {
  std::string partition, account, qos;
  std::string time = "1-00:00:00";  // the job requeues itself before this time is over
  std::string memory = "2G";
  std::string address = "auto";      // listen address: an address, a host name or an interface
  std::string state_folder;          // for the database, on a disk of the node; see docs/slurm.md
  std::vector<std::string> options;  // further sbatch options
};

struct Site {
  Allocation allocation;
  Workers worker;
  Environment environment;
  Container container;
  QueueRules queue;
  DaemonJob daemon;

  // GPUs per node that the allocation requests by gres or options: 0 for none, nothing if it
  // requests them in a way that does not say how many a node has.
  std::optional<int64_t> gpus_per_node() const;
  // Their model, as in Slurm's "gpu:a100:4"; empty if the request names none.
  std::string gpu_model() const;
  // The workers' --device: an allocation that asked for GPUs must not train on the CPU.
  std::string device() const;
  int64_t ranks() const { return allocation.nodes * allocation.ranks_per_node; }
  int64_t ranks_per_worker() const { return ranks() / worker.workers; }
  double seconds() const;  // allocation.time
};

// Seconds of a time limit in Slurm's notation: "90" (minutes), "1:30:00", "2-12", "2-12:00:00", ...
// Throws InputError for anything else, including UNLIMITED.
double limit_seconds(const std::string& text);

// Parses a --gres: "gpu:a100:4,nvme" → {"gpu:a100", 4}, {"nvme", 1}.
std::vector<std::pair<std::string, int64_t>> generic_resources(const std::string& gres);

// Throws InputError naming settings that cannot be combined.
void check_site(const Site& site);

// Reads and checks a site file. `file` is its name in messages. Throws InputError "FILE:LINE: ...",
// with a suggestion if a key is unknown.
Site read_site(const std::string& text, const std::string& file);

// JSON for sending a site to a running daemon and for storing it. site_from_json throws InputError.
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
