// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/workspace_id.h"

#include <algorithm>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "coordinator/store/compact.h"

namespace remixer::coordinator {
namespace {

std::string new_id() {
  std::random_device device;
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += fmt::format("{:08x}", device());
  return sha256_hex(bytes).substr(0, 32);
}

// Empty if there is no id.
std::string read_id(const fs::path& workspace) {
  const auto text = read_file_if_exists(workspace_id_file(workspace));
  if (!text) return {};
  const Json json = Json::parse(*text, nullptr, false);
  const Json id = json.is_object() ? json.value("id", Json()) : Json();
  if (!id.is_string() || id.get<std::string>().empty()) {
    fail_input("{} does not hold the workspace's id; put it back from a copy, or delete it",
               workspace_id_file(workspace).string());
  }
  return id.get<std::string>();
}

void write_id(const fs::path& workspace, const std::string& id) {
  write_file_atomic(workspace_id_file(workspace), Json{{"id", id}}.dump(1) + "\n");
}

std::vector<std::string> run_folders(const fs::path& workspace) {
  std::vector<std::string> ids;
  std::error_code code;
  for (fs::directory_iterator each(workspace / "runs", code), end; !code && each != end;
       each.increment(code)) {
    std::string name = each->path().filename().string();
    if (is_task_id(name)) ids.push_back(std::move(name));
  }
  return ids;
}

[[noreturn]] void fail_export(const fs::path& workspace) {
  fail_input(
      "{0} is an export, which `remixer export` wrote to be read (`remixer report -w {0}`): "
      "nothing can be run or changed in it, since data, labels and checkpoints are not there; "
      "name another workspace",
      workspace.string());
}

constexpr const char* kAdvice =
    "Put the workspace's own database in its place (a copy that `remixer backup` made will do), or "
    "name its folder in REMIXER_STATE_FOLDER. If it is lost, move {} away and run `remixer "
    "adopt "
    "GRID...`: it reads finished results back from the run folders. Nothing was changed";

}  // namespace

fs::path workspace_id_file(const fs::path& workspace) {
  return workspace / "workspace.json";
}

bool is_task_id(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void pair_workspace(const fs::path& workspace, const fs::path& database, Store& store,
                    const State& state, bool adopt) {
  const std::string of_workspace = read_id(workspace), of_database = store.workspace_id();
  const auto advice = [&] { return fmt::format(fmt::runtime(kAdvice), database.string()); };
  if (of_database == kExportedWorkspace) fail_export(workspace);
  if (!of_workspace.empty() && of_workspace == of_database) return;
  if (!of_workspace.empty() && !of_database.empty()) {
    fail_input("database {} belongs to another workspace than {} ({:.8}..., not {:.8}...). {}",
               database.string(), workspace.string(), of_database, of_workspace, advice());
  }
  const std::vector<std::string> runs = run_folders(workspace);
  const auto known = std::count_if(
      runs.begin(), runs.end(), [&](const std::string& id) { return state.tasks.count(id) > 0; });
  if (!runs.empty() && known == 0 && !(adopt && state.tasks.empty())) {
    fail_input("database {} knows none of the {} tasks that have run in workspace {}. {}",
               database.string(), runs.size(), workspace.string(), advice());
  }
  const bool has_run = std::any_of(state.tasks.begin(), state.tasks.end(),
                                   [](const auto& each) { return each.second.attempts > 0; });
  if (runs.empty() && has_run && of_workspace.empty() && !of_database.empty() &&
      database.parent_path() != workspace) {
    fail_input(
        "workspace {} is empty, and database {} knows tasks that have run in it: is its file "
        "system mounted? To begin afresh, move the database away. Nothing was changed",
        workspace.string(), database.string());
  }
  const std::string id = !of_workspace.empty()  ? of_workspace
                         : !of_database.empty() ? of_database
                                                : new_id();
  // This order matters: after a crash in between, any database of this workspace may take the id.
  if (of_workspace.empty()) write_id(workspace, id);
  if (of_database.empty()) store.set_workspace_id(id);
}

void refuse_export(const fs::path& workspace, const fs::path& database) {
  if (is_export(database)) fail_export(workspace);
}

std::map<std::string, int64_t> attempt_folders(const fs::path& workspace, const Wanted& wanted) {
  std::map<std::string, int64_t> highest;
  for (const std::string& id : run_folders(workspace)) {
    if (wanted && !wanted(id)) continue;
    std::error_code code;
    for (fs::directory_iterator each(workspace / "runs" / id, code), end; !code && each != end;
         each.increment(code)) {
      const auto number = attempt_number(each->path().filename().string());
      if (number) highest[id] = std::max(highest[id], *number);
    }
  }
  return highest;
}

}  // namespace remixer::coordinator
