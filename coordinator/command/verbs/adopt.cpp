// SPDX-License-Identifier: Apache-2.0
// `remixer adopt`: restores results from run folders into a database that has lost them.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/command/verbs/submit.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/engine/adopt.h"

namespace remixer::coordinator::command {
namespace {

// Restores the results of one grid.
using Adopt = std::function<Adopted(const experiments::Grid&)>;

Adopt through(Session& session) {
  return [&session](const experiments::Grid& grid) {
    const auto submitted = submit_grid(session, grid);
    return session.order<Adopted>(fmt::format("/grids/{}/adopt", submitted.grid_id));
  };
}

Adopt through(Engine& engine) {
  return [&engine](const experiments::Grid& grid) {
    const auto submitted = engine.submit(experiments::protocol::SubmitGrid{
        grid.name, grid.description, grid.text, grid.cells, grid.tasks, {}});
    return adopt_results(engine, submitted.grid_id);
  };
}

int report(const CommandLine& line, const std::vector<experiments::Grid>& grids,
           const Adopt& adopt) {
  Table table({{"grid"}, {"tasks"}, {"done_before"}, {"adopted"}, {"refused"}});
  std::string refused;
  for (const experiments::Grid& grid : grids) {
    const Adopted adopted = adopt(grid);
    table.add_row(
        {grid.name, adopted.tasks, adopted.done, adopted.adopted, adopted.refused.size()});
    for (const Adopted::Refused& each : adopted.refused) {
      refused += fmt::format("not taken: {}: {}\n", each.folder, each.why);
    }
  }
  print(table.as(line.format, terminal_width()));
  if (line.format != Format::kTable) return kExitDone;
  print(refused);
  print("What was not adopted is queued, and continues from its checkpoints.\n");
  return kExitDone;
}

int adopt(const CommandLine& line, const std::vector<fs::path>& files) {
  if (!fs::is_directory(line.workspace)) {
    fail_input("there is no workspace {}: name it with --workspace", line.workspace.string());
  }
  std::vector<experiments::Grid> grids;
  for (const fs::path& file : files) grids.push_back(experiments::read_grid(file, line.workspace));
  if (auto session = Session::find(line.workspace)) {
    return report(line, grids, through(*session));
  }
  const fs::path workspace = prepare_workspace(line.workspace);
  const WorkspaceLock lock(workspace);
  const fs::path database = database_file(workspace);
  fs::create_directories(database.parent_path());
  Settings settings;
  settings.workspace = workspace.string();
  Engine engine(Engine::Options{workspace, database, settings, &system_clock(), true});
  return report(line, grids, through(engine));
}

}  // namespace

void add_adopt(CommandLine& line) {
  CLI::App* command = add_command(
      line, "adopt", "Recover results from the workspace's run folders after the database was lost",
      "remixer adopt experiments/quickstart.toml --workspace workspace");
  auto files = std::make_shared<std::vector<fs::path>>();
  command->add_option("GRID", *files, "Grid files whose results are recovered")
      ->required()
      ->type_name("FILE...");
  add_format(line, command);
  command->callback(
      [&line, files] { line.chosen = [&line, files] { return adopt(line, *files); }; });
}

}  // namespace remixer::coordinator::command
