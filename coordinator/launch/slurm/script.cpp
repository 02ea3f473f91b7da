// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/slurm/script.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "coordinator/launch/slurm/script_text.h"

namespace remixer::coordinator::slurm {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Time for the daemon to end and to copy its database.
constexpr double kDaemonSignalSeconds = 120;

// Quotes a word for bash: plain words stay as they are, others get single quotes.
std::string quoted(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("_-./=:,%+@").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// Quotes a word for an #SBATCH line: sbatch handles quotes and backslashes like a shell.
std::string batch_word(const std::string& word) {
  if (word.find_first_of(" \t\"'\\#") == std::string::npos) return word;
  std::string text = "\"";
  for (const char c : word)
    text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return text + "\"";
}

std::string quoted(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + quoted(word);
  return text;
}

// "gpu:a100:4" in two halves → "gpu:a100:2"; resources that cannot be divided are left out.
std::string share_of_gres(const std::string& gres, int64_t parts) {
  std::string text;
  for (const auto& [name, count] : generic_resources(gres)) {
    if (count < parts) continue;
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", name, count / parts);
  }
  return text;
}

class Lines {
 public:
  void option(const std::string& name, const std::string& value) {
    if (!value.empty()) text_ += fmt::format("#SBATCH --{}={}\n", name, value);
  }
  void flag(const std::string& words) { text_ += fmt::format("#SBATCH {}\n", words); }
  void line(const std::string& words) { text_ += words + "\n"; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_ = "#!/bin/bash\n";
};

void add_allocation(Lines& lines, const Site& site) {
  const Allocation& a = site.allocation;
  lines.option("partition", a.partition);
  lines.option("account", a.account);
  lines.option("qos", a.qos);
  lines.option("constraint", a.constraint);
  lines.option("reservation", a.reservation);
  lines.option("gres", a.gres);
  lines.option("mem", a.memory);
  lines.option("time", a.time);
  lines.option("nodes", std::to_string(a.nodes));
  lines.option("ntasks-per-node", std::to_string(a.ranks_per_node));
  lines.option("cpus-per-task", std::to_string(a.cpus_per_rank));
  for (const std::string& option : a.options) lines.flag(option);
}

void add_preparation(Lines& lines, const Environment& environment) {
  if (!environment.modules.empty()) {
    // A batch job's bash is not a login shell, so `module` may not be defined yet.
    lines.line("type module >/dev/null 2>&1 || . /etc/profile");
    lines.line("module load " + quoted(environment.modules));
  }
  for (const std::string& each : environment.variables) {
    const size_t equals = each.find('=');
    lines.line("export " + each.substr(0, equals) + "=" + quoted(each.substr(equals + 1)));
  }
  for (const std::string& each : environment.before) lines.line(each);
}

Words launch_words(const Site& site) {
  const Workers& w = site.worker;
  const std::string ranks = std::to_string(site.ranks_per_worker());
  Words words;
  if (w.launcher == "mpirun") {
    words = {"mpirun", "-n", ranks, "--bind-to", "none"};
    if (w.workers == 1 && site.allocation.nodes > 1) {
      words.insert(words.end(),
                   {"--map-by", fmt::format("ppr:{}:node", site.allocation.ranks_per_node)});
    }
  } else {
    words = {"srun", "--mpi=" + w.mpi, "--kill-on-bad-exit=1", "--ntasks=" + ranks,
             fmt::format("--cpus-per-task={}", site.allocation.cpus_per_rank)};
    if (w.workers > 1) {
      words.emplace_back("--exact");
      const std::string gres = share_of_gres(site.allocation.gres, w.workers);
      if (!gres.empty()) words.push_back("--gres=" + gres);
      // Without its own share, each step would wait for the other's memory.
      words.emplace_back("--mem-per-cpu=0");
    } else {
      words.push_back(fmt::format("--ntasks-per-node={}", site.allocation.ranks_per_node));
    }
  }
  words.insert(words.end(), w.launcher_options.begin(), w.launcher_options.end());
  return words;
}

// The command that runs the worker inside the site's container; container options of the launcher
// go to `launch`.
Words container_words(const Site& site, const ScriptPaths& paths, Words& launch) {
  const Container& c = site.container;
  if (c.runtime.empty()) return {};
  Words mounts = c.mounts;
  mounts.push_back(paths.workspace.string());
  if (c.runtime == "pyxis") {
    launch.push_back("--container-image=" + c.image);
    std::string joined;
    for (const std::string& each : mounts) {
      const std::string pair = each.find(':') == std::string::npos ? each + ":" + each : each;
      joined += (joined.empty() ? "" : ",") + pair;
    }
    launch.push_back("--container-mounts=" + joined);
    launch.insert(launch.end(), c.options.begin(), c.options.end());
    return {};
  }
  Words words = {c.runtime, "exec"};
  words.insert(words.end(), c.options.begin(), c.options.end());
  for (const std::string& each : mounts) words.insert(words.end(), {"--bind", each});
  words.push_back(c.image);
  return words;
}

std::string worker_program(const Site& site, const ScriptPaths& paths) {
  if (!site.worker.program.empty()) return site.worker.program;
  return (paths.program.parent_path() / "remixer-worker").string();
}

void add_workers(Lines& lines, const Site& site, const ScriptPaths& paths) {
  Words launch = launch_words(site);
  Words worker = container_words(site, paths, launch);
  worker.insert(worker.end(),
                {worker_program(site, paths), "--access", paths.access_file.string(), "--idle",
                 fmt::format("{:g}", site.queue.idle_seconds), "--patience",
                 fmt::format("{:g}", site.queue.patience_seconds), "--loader-threads",
                 std::to_string(site.worker.loader_threads), "--device", site.device()});
  lines.line(fmt::format("seconds={:.0f}", site.seconds()));
  lines.line(fmt::format("checkpoint_seconds={:.0f}", site.queue.checkpoint_seconds));
  lines.line(fmt::format("cpus_per_rank={}", site.allocation.cpus_per_rank));
  lines.line(fmt::format("workers={}", site.worker.workers));
  lines.line("launch=(" + quoted(launch) + ")");
  lines.line("worker=(" + quoted(worker) + ")");
}

}  // namespace

std::string job_name(const fs::path& workspace) {
  return "remixer-" + sha256_hex(workspace.string()).substr(0, 8);
}

fs::path log_folder(const fs::path& workspace) {
  return workspace / "logs" / "slurm";
}

std::string allocation_script(const Site& site, const ScriptPaths& paths) {
  Lines lines;
  lines.option("job-name", job_name(paths.workspace));
  // For a job array this is <array job>_<index>, else <job>: the id that squeue shows.
  lines.flag("--output=" + batch_word((log_folder(paths.workspace) / "%j.log").string()));
  lines.flag("--open-mode=append");
  lines.flag("--requeue");
  lines.option("signal", fmt::format("B:USR2@{:.0f}", site.queue.checkpoint_seconds));
  add_allocation(lines, site);
  lines.line("");
  add_preparation(lines, site.environment);
  add_workers(lines, site, paths);
  lines.line("");
  return lines.take() + kAllocationScript;
}

std::string daemon_script(const Site& site, const ScriptPaths& paths, const fs::path& site_file) {
  const DaemonJob& d = site.daemon;
  const auto choice = [](const std::string& own, const std::string& other) {
    return own.empty() ? other : own;
  };
  Lines lines;
  // A separate name: allocations are identified by theirs.
  lines.option("job-name", job_name(paths.workspace) + "-daemon");
  lines.flag("--output=" + batch_word((log_folder(paths.workspace) / "daemon-%j.log").string()));
  lines.flag("--open-mode=append");
  lines.flag("--requeue");
  lines.option("signal", fmt::format("B:USR2@{:.0f}", kDaemonSignalSeconds));
  lines.option("partition", choice(d.partition, site.allocation.partition));
  lines.option("account", choice(d.account, site.allocation.account));
  lines.option("qos", choice(d.qos, site.allocation.qos));
  lines.option("time", d.time);
  lines.option("mem", d.memory);
  lines.option("nodes", "1");
  lines.option("ntasks", "1");
  for (const std::string& option : d.options) lines.flag(option);
  lines.line("");
  add_preparation(lines, site.environment);
  lines.line("remixer=" + quoted(paths.program.string()));
  lines.line("workspace=" + quoted(paths.workspace.string()));
  lines.line("site=" + quoted(site_file.string()));
  lines.line("listen=(--address " + quoted(d.address) + ")");
  lines.line("state_folder=" + quoted(d.state_folder));
  lines.line("");
  return lines.take() + kDaemonScript;
}

}  // namespace remixer::coordinator::slurm
