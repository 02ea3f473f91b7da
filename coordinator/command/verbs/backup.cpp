// SPDX-License-Identifier: Apache-2.0
// `remixer backup`: a complete copy of the database while the daemon works.
#include <fmt/format.h>

#include "base/error.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/store/backup.h"

namespace remixer::coordinator::command {
namespace {

int backup(const fs::path& workspace, const fs::path& file) {
  const fs::path database = database_file(workspace);
  if (!fs::exists(database)) {
    fail_input("workspace {} has no database yet: there is nothing to back up", workspace.string());
  }
  const BackupSummary summary = back_up(database, file);
  print(fmt::format(
      "{}: {} grids, {} tasks, {} results ({} bytes, checked).\nTo go back to it: end the daemon "
      "(`remixer down`), then put the file in the place of {} and delete {}-wal.\n",
      file.string(), summary.grids, summary.tasks, summary.results, summary.bytes,
      database.string(), database.string()));
  return kExitDone;
}

}  // namespace

void add_backup(CommandLine& line) {
  CLI::App* command = add_command(
      line, "backup",
      "Copy the database to a file; works at any time, also while the daemon is running",
      "remixer backup /backups/study-$(date +%F).db");
  auto file = std::make_shared<fs::path>();
  command->add_option("FILE", *file, "Path of the copy; must not exist yet")
      ->required()
      ->type_name("FILE");
  command->callback(
      [&line, file] { line.chosen = [&line, file] { return backup(line.workspace, *file); }; });
}

}  // namespace remixer::coordinator::command
