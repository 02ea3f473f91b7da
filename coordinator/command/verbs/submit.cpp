// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/submit.h"

#include <fmt/format.h>

#include "base/amount_text.h"
#include "base/error.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/command/verbs/plan.h"

namespace remixer::coordinator::command {

using experiments::protocol::GridSubmitted;

GridSubmitted submit_grid(Session& session, const experiments::Grid& grid) {
  const experiments::protocol::SubmitGrid message{grid.name,  grid.description, grid.text,
                                                  grid.cells, grid.tasks,       {}};
  return experiments::protocol::from_json<GridSubmitted>(
      session.post("/grids", experiments::protocol::to_json(message)));
}

GridSubmitted submit_grid_file(Session& session, const std::string& text, const std::string& name) {
  try {
    return experiments::protocol::from_json<GridSubmitted>(
        session.post_patiently("/grids/file", {{"text", text}, {"file", name}}));
  } catch (const experiments::protocol::Refused& refused) {
    if (refused.status == 400) throw InputError(refused.what());
    throw;
  }
}

std::string submitted_text(const std::string& name, const GridSubmitted& submitted) {
  const int64_t to_run = submitted.tasks_queued + submitted.tasks_underway;
  if (to_run == 0) {
    return fmt::format("{}: {}, all finished already and reused; nothing to run", name,
                       counted(submitted.cells, "cell"));
  }
  std::string text = fmt::format("{}: {} ({} reused), {}: {} reused, {} to run", name,
                                 counted(submitted.cells, "cell"), submitted.cells_done,
                                 counted(submitted.tasks, "task"), submitted.tasks_reused, to_run);
  if (submitted.tasks_underway > 0) {
    text += fmt::format(" ({} of them queued before)", submitted.tasks_underway);
  }
  return text;
}

std::string recipes_text(const std::vector<std::string>& recipes) {
  std::string text;
  for (const std::string& line : recipes) text += "  " + line + "\n";
  return text;
}

namespace {

int submit(const CommandLine& line, const fs::path& file) {
  const ReadyFile grid = read_ready_file(file, line.workspace);
  DaemonOptions options;
  options.workspace = line.workspace;
  SessionOrDaemon daemon(options);
  const GridSubmitted submitted = submit_grid_file(daemon.session(), grid.text, file.string());
  Table table({{"grid_id"},
               {"grid"},
               {"cells"},
               {"cells_reused"},
               {"tasks"},
               {"tasks_reused"},
               {"tasks_queued"},
               {"tasks_underway"}});
  table.add_row({submitted.grid_id, grid.name, submitted.cells, submitted.cells_done,
                 submitted.tasks, submitted.tasks_reused, submitted.tasks_queued,
                 submitted.tasks_underway});
  if (line.format != Format::kTable) {
    print(table.as(line.format));
    return kExitDone;
  }
  print(submitted_text(grid.name, submitted) + "\n" + recipes_text(grid.recipes));
  if (daemon.own() != nullptr && submitted.tasks_queued + submitted.tasks_underway > 0) {
    print("It is kept; no daemon is running, so it waits for `remixer up` or `remixer run`.\n");
  }
  return kExitDone;
}

}  // namespace

void add_submit(CommandLine& line) {
  CLI::App* command = add_command(
      line, "submit", "Submit a grid to the daemon and return; finished results are reused",
      "remixer submit experiments/quickstart.toml && remixer status --watch");
  auto options = std::make_shared<PlanOptions>();
  auto dry_run = std::make_shared<bool>(false);
  command->add_option("GRID", options->grid, "The grid file")->required()->type_name("FILE");
  command->add_flag("--dry-run", *dry_run,
                    "Submit nothing: print what `remixer plan` prints; the exit code is 2 if "
                    "something is missing");
  add_format(line, command);
  command->callback([&line, options, dry_run] {
    line.chosen = [&line, options, dry_run] {
      if (!*dry_run) return submit(line, options->grid);
      return print_plan(line, *options) ? kExitDone : kExitBadInput;
    };
  });
}

}  // namespace remixer::coordinator::command
