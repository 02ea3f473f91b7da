// SPDX-License-Identifier: Apache-2.0
// `remixer slurm`: runs workers in allocations of a Slurm cluster.
#include "coordinator/command/verbs/slurm.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/handover.h"
#include "coordinator/command/verbs/listen_options.h"
#include "coordinator/command/verbs/serve.h"
#include "coordinator/launch/slurm/jobs.h"
#include "coordinator/launch/slurm/launcher.h"
#include "coordinator/launch/slurm/script.h"
#include "coordinator/launch/slurm/site.h"
#include "experiments/protocol/access.h"
#include "experiments/protocol/answers.h"

namespace remixer::coordinator::command {

namespace answers = experiments::protocol::answers;
namespace {

// The site's file, and command-line options that override it.
struct SiteOptions {
  fs::path file;
  std::optional<std::string> partition, account, qos, constraint, gres, time;
  std::optional<int64_t> nodes, ranks_per_node, cpus_per_rank, maximum, backlog;
  std::optional<double> idle_seconds;

  void add_to(CLI::App* command);
  // Without a file: the site that `workspace` stores from the last `remixer slurm up`, if any.
  slurm::Site site(const fs::path& workspace) const;
};

void SiteOptions::add_to(CLI::App* command) {
  command
      ->add_option("SITE", file,
                   "Site file of the cluster (TOML; examples in slurm/, keys in docs/slurm.md)")
      ->type_name("FILE");
  const auto text = [&](const char* name, std::optional<std::string>& value, const char* help) {
    command->add_option(name, value, help)->type_name("TEXT");
  };
  const auto count = [&](const char* name, std::optional<int64_t>& value, const char* help) {
    command->add_option(name, value, help)->type_name("N");
  };
  text("--partition", partition, "Replaces the site's allocation.partition");
  text("--account", account, "Replaces allocation.account");
  text("--qos", qos, "Replaces allocation.qos");
  text("--constraint", constraint, "Replaces allocation.constraint");
  text("--gres", gres, "Replaces allocation.gres, for example gpu:4");
  text("--time", time, "Replaces allocation.time, for example 12:00:00");
  count("--nodes", nodes, "Replaces allocation.nodes");
  count("--ranks-per-node", ranks_per_node, "Replaces allocation.ranks_per_node");
  count("--cpus-per-rank", cpus_per_rank, "Replaces allocation.cpus_per_rank");
  count("--maximum", maximum, "Most allocations at once; replaces queue.maximum");
  count("--backlog", backlog, "Most allocations that wait at once; replaces queue.backlog");
  command
      ->add_option("--idle", idle_seconds,
                   "Seconds without work before a worker ends; replaces queue.idle_seconds")
      ->type_name("S");
}

slurm::Site SiteOptions::site(const fs::path& workspace) const {
  slurm::Site site;
  if (!file.empty()) {
    site = slurm::read_site(read_file(file), file.string());
  } else if (const auto kept = slurm::read_kept(workspace)) {
    site = kept->site;
  }
  const auto set = [](auto& field, const auto& given) {
    if (given) field = *given;
  };
  set(site.allocation.partition, partition);
  set(site.allocation.account, account);
  set(site.allocation.qos, qos);
  set(site.allocation.constraint, constraint);
  set(site.allocation.gres, gres);
  set(site.allocation.time, time);
  set(site.allocation.nodes, nodes);
  set(site.allocation.ranks_per_node, ranks_per_node);
  set(site.allocation.cpus_per_rank, cpus_per_rank);
  set(site.queue.maximum, maximum);
  set(site.queue.backlog, backlog);
  set(site.queue.idle_seconds, idle_seconds);
  slurm::check_site(site);
  return site;
}

struct UpOptions {
  SiteOptions site;
  ListenOptions listen{"auto", "", 0};
  bool dry_run = true;
  bool until_done = false;
};

// The daemon's answer as one line.
std::string state_line(const answers::Slurm& status) {
  if (status.paused) {
    return fmt::format("paused: {}; `remixer slurm up` tries again", *status.paused);
  }
  if (status.problem) return *status.problem;
  if (!status.wanted) return "no allocations are asked for";
  return fmt::format("keeping up to {} allocations{}", status.maximum,
                     status.why ? ": " + *status.why : "");
}

// `reachable`: the user has chosen the address where this daemon listens.
answers::Slurm order_up(Session& session, const slurm::Site& site, bool try_first, bool reachable) {
  try {
    return session.order<answers::Slurm>(
        "/slurm/up",
        {{"site", slurm::to_json(site)}, {"try_first", try_first}, {"reachable", reachable}});
  } catch (const experiments::protocol::Refused& refused) {
    if (refused.status == 400) throw InputError(refused.what());
    throw;
  }
}

int up(const fs::path& workspace, const UpOptions& options) {
  const slurm::Site site = options.site.site(workspace);
  slurm::require_slurm();
  if (auto session = Session::find(workspace)) {
    const answers::Slurm status = order_up(*session, site, options.dry_run, false);
    print(fmt::format("The daemon of {} is at work already: {}.\n", workspace.string(),
                      state_line(status)));
    return kExitDone;
  }
  ServeOptions serve_options;
  serve_options.daemon.workspace = workspace;
  options.listen.apply(serve_options.daemon);
  serve_options.workers =
      fmt::format("with up to {} Slurm allocations of {} rank{}", site.queue.maximum, site.ranks(),
                  site.ranks() == 1 ? "" : "s");
  serve_options.started = [&](Daemon& daemon) {
    Session session(daemon.access());
    order_up(session, site, options.dry_run, true);
  };
  serve_options.until_done = options.until_done;
  return serve(serve_options);
}

int status(const CommandLine& line) {
  Session session = Session::require(line.workspace);
  const auto status = session.ask<answers::Slurm>("/slurm");
  Table table({{"id"},
               {"state"},
               {"reason"},
               {"nodes"},
               {"workers"},
               {"running"},
               {"start"},
               {"end"},
               {"log"}});
  for (const answers::Allocation& each : status.allocations) {
    table.add_row({each.id, each.state, or_missing(each.reason), or_missing(each.nodes),
                   each.workers, each.running, or_missing(each.start), or_missing(each.end),
                   each.log});
  }
  if (line.format != Format::kTable) {
    print(table.as(line.format));
    return kExitDone;
  }
  print(state_line(status) + "\n");
  if (table.rows() > 0) print(table.text(terminal_width()));
  return kExitDone;
}

int down(const fs::path& workspace, bool let_run) {
  Session session = Session::require(workspace);
  session.post("/slurm/down", {{"let_run", let_run}});
  print(let_run
            ? "Nothing more is asked for; running allocations end when they are idle.\n"
            : "Nothing more is asked for; running allocations write their checkpoints and end.\n");
  return kExitDone;
}

slurm::ScriptPaths paths_of(const fs::path& workspace) {
  const fs::path folder = fs::weakly_canonical(fs::absolute(workspace));
  return {folder, experiments::protocol::access_file(folder), program_folder() / "remixer"};
}

int script(const fs::path& workspace, const SiteOptions& options) {
  print(slurm::allocation_script(options.site(workspace), paths_of(workspace)));
  return kExitDone;
}

int daemon_script(const fs::path& workspace, const SiteOptions& options) {
  if (options.file.empty()) fail_input("the daemon's job needs a SITE file, which it reads itself");
  const slurm::ScriptPaths paths = paths_of(workspace);
  // Slurm does not create the folder of a job's output.
  fs::create_directories(slurm::log_folder(paths.workspace));
  print(slurm::daemon_script(options.site(workspace), paths, fs::absolute(options.file)));
  return kExitDone;
}

CLI::App* add_part(CommandLine& line, CLI::App* parent, const std::string& name,
                   const std::string& description, const std::string& example) {
  CLI::App* part = parent->add_subcommand(name, description);
  part->footer("Example:\n  " + example);
  part->add_option("-w,--workspace", line.workspace, kWorkspaceHelp)->type_name("DIR");
  return part;
}

void add_slurm_up(CommandLine& line, CLI::App* parent) {
  CLI::App* part = add_part(line, parent, "up",
                            "Request allocations as tasks need them; starts a daemon in the "
                            "foreground unless one is running",
                            "remixer slurm up slurm/gpu.toml --maximum 8");
  auto options = std::make_shared<UpOptions>();
  options->site.add_to(part);
  options->listen.add_to(part);
  part->add_flag("--dry-run,!--no-dry-run", options->dry_run,
                 "Ask Slurm first whether it would accept the script (the default)");
  part->add_flag("--until-done", options->until_done, "End once every grid has ended");
  part->callback([&line, options] {
    line.chosen = [&line, options] { return up(line.workspace, *options); };
  });
}

void add_slurm_down(CommandLine& line, CLI::App* parent) {
  CLI::App* part = add_part(line, parent, "down",
                            "Request no more allocations; cancel waiting ones and end running ones "
                            "after a checkpoint. The daemon stays",
                            "remixer slurm down");
  auto let_run = std::make_shared<bool>(false);
  part->add_flag("--let-run", *let_run, "Let running allocations continue until they are idle");
  part->callback([&line, let_run] {
    line.chosen = [&line, let_run] { return down(line.workspace, *let_run); };
  });
}

void add_slurm_scripts(CommandLine& line, CLI::App* parent) {
  CLI::App* allocation = add_part(line, parent, "script", "Print the batch script of an allocation",
                                  "remixer slurm script slurm/gpu.toml --partition debug");
  auto options = std::make_shared<SiteOptions>();
  options->add_to(allocation);
  allocation->callback([&line, options] {
    line.chosen = [&line, options] { return script(line.workspace, *options); };
  });
  CLI::App* daemon =
      add_part(line, parent, "daemon", "Print the batch script of a job that runs the daemon",
               "remixer slurm daemon site.toml > daemon.sh && sbatch daemon.sh");
  auto daemon_options = std::make_shared<SiteOptions>();
  daemon_options->add_to(daemon);
  daemon->callback([&line, daemon_options] {
    line.chosen = [&line, daemon_options] {
      return daemon_script(line.workspace, *daemon_options);
    };
  });
}

}  // namespace

void add_slurm(CommandLine& line) {
  CLI::App* command = add_command(line, "slurm", "Run workers in allocations of a Slurm cluster",
                                  "remixer slurm up slurm/gpu.toml");
  command->require_subcommand(1);
  add_slurm_up(line, command);
  CLI::App* show =
      add_part(line, command, "status", "Show the allocations", "remixer slurm status");
  add_format(line, show);
  show->callback([&line] { line.chosen = [&line] { return status(line); }; });
  add_slurm_down(line, command);
  add_slurm_scripts(line, command);
}

}  // namespace remixer::coordinator::command
