// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/garbage_collection.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "coordinator/engine/workspace_id.h"
#include "experiments/protocol/result_files.h"

namespace remixer::coordinator {

namespace {

int64_t bytes_of(const fs::path& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return 0;
  int64_t bytes = static_cast<int64_t>(about.st_blocks) * 512;
  if (!S_ISDIR(about.st_mode)) return bytes;
  std::error_code code;
  for (fs::directory_iterator each(path, code), end; !code && each != end; each.increment(code)) {
    bytes += bytes_of(each->path());
  }
  return bytes;
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> list;
  std::error_code code;
  for (fs::directory_iterator each(folder, code), end; !code && each != end; each.increment(code)) {
    list.push_back(each->path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

bool is_checkpoint(const std::string& name) {
  return name.starts_with("checkpoint-");
}

// A complete checkpoint, from which a run can resume: its .json file is written last.
bool has_checkpoint(const fs::path& folder) {
  const auto files = entries(folder);
  return std::any_of(files.begin(), files.end(), [](const fs::path& file) {
    return is_checkpoint(file.filename().string()) && file.extension() == ".json";
  });
}

// What the engine knows of a task at one moment.
struct Seen {
  bool known = false, busy = false;
  TaskState state = TaskState::kWaiting;
  bool removed = false;
  int64_t attempts = 0;
  std::string title;
  std::set<std::string> named;  // by its committed result
};

Seen see(const Engine::View& view, const std::string& id) {
  const State& state = view.state;
  Seen seen;
  const auto found = state.tasks.find(id);
  if (found == state.tasks.end()) return seen;
  const TaskEntry& entry = found->second;
  seen.known = true;
  seen.busy = state.held.count(id) > 0;
  seen.state = entry.state;
  seen.removed = entry.state == TaskState::kCancelled && entry.reason == "removed";
  seen.attempts = entry.attempts;
  seen.title = entry.title;
  if (entry.state == TaskState::kDone) {
    for (auto& file : experiments::protocol::result_files(view.store.result(entry))) {
      seen.named.insert(std::move(file.path));
    }
  }
  return seen;
}

struct Candidate {
  Collected::Item item;
  std::string task_id;
  double age = 0;  // modification time
};

// Finds the garbage in one task's folder.
class TaskFolder {
 public:
  TaskFolder(const fs::path& workspace, const std::string& id, const Seen& seen)
      : workspace_(workspace), id_(id), seen_(seen) {}

  std::vector<Candidate> find() {
    const fs::path folder = workspace_ / "runs" / id_;
    if (!seen_.known) {
      add(folder, Garbage::kUnknown);
      return std::move(found_);
    }
    if (seen_.removed && !seen_.busy) {
      add(folder, Garbage::kRemoved);
      return std::move(found_);
    }
    std::map<int64_t, fs::path> attempts;
    for (const fs::path& each : entries(folder)) {
      if (const auto number = attempt_number(each.filename().string())) attempts[*number] = each;
    }
    int64_t goes_on_from = 0;  // the newest attempt with a checkpoint
    for (const auto& [number, path] : attempts) {
      if (has_checkpoint(path)) goes_on_from = number;
    }
    for (const auto& [number, path] : attempts) {
      if (seen_.busy && number == seen_.attempts) continue;  // its worker may be writing
      const bool needed = seen_.state != TaskState::kDone && number >= goes_on_from;
      look_at(path, number, needed);
    }
    return std::move(found_);
  }

 private:
  void look_at(const fs::path& folder, int64_t number, bool needed) {
    for (const fs::path& file : entries(folder)) {
      const std::string name = file.filename().string();
      if (is_checkpoint(name)) {
        if (!needed) {
          add(file, Garbage::kSuperseded);
        } else if (stuck(seen_.state) && !seen_.busy) {
          add(file, Garbage::kStuck);
        }
      } else if (seen_.state == TaskState::kDone && number != seen_.attempts &&
                 file.extension() == ".safetensors") {
        add(file, Garbage::kRefused);
      }
    }
  }

  // Files that the result names are kept, whatever their name and attempt.
  void add(const fs::path& path, Garbage why) {
    if (seen_.named.count(path.lexically_relative(workspace_).string()) > 0) return;
    Candidate candidate;
    candidate.item = {path.lexically_relative(workspace_).string(), why, bytes_of(path),
                      seen_.title};
    candidate.task_id = id_;
    struct stat about {};
    if (::lstat(path.c_str(), &about) == 0) candidate.age = static_cast<double>(about.st_mtime);
    found_.push_back(std::move(candidate));
  }

  const fs::path& workspace_;
  const std::string& id_;
  const Seen& seen_;
  std::vector<Candidate> found_;
};

bool same(const Seen& a, const Seen& b) {
  return a.known == b.known && a.busy == b.busy && a.state == b.state && a.attempts == b.attempts &&
         a.named == b.named;
}

}  // namespace

Collected collect_garbage(Engine& engine, const CollectOptions& options) {
  const fs::path workspace = engine.workspace();
  std::vector<std::string> ids;
  for (const fs::path& each : entries(workspace / "runs")) {
    if (is_task_id(each.filename().string())) ids.push_back(each.filename().string());
  }
  std::map<std::string, Seen> seen;
  // In pieces, so that nobody waits long for the engine.
  constexpr size_t kPiece = 1000;
  for (size_t from = 0; from < ids.size(); from += kPiece) {
    engine.query([&](const Engine::View& view) {
      for (size_t i = from; i < std::min(ids.size(), from + kPiece); ++i) {
        seen.emplace(ids[i], see(view, ids[i]));
      }
    });
  }
  Collected collected;
  std::vector<Candidate> candidates;
  for (const std::string& id : ids) {
    for (Candidate& each : TaskFolder(workspace, id, seen.at(id)).find()) {
      if (each.item.why == Garbage::kUnknown && !options.unknown) {
        ++collected.unknown_folders;
        collected.unknown_bytes += each.item.bytes;
        continue;
      }
      candidates.push_back(std::move(each));
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return std::pair(a.item.why, a.age) < std::pair(b.item.why, b.age);
  });
  collected.quota_bytes = options.quota;
  collected.dry_run = options.dry_run;
  for (const char* folder : {"runs", "datasets", "labels", "models", "reports", "logs"}) {
    collected.used_bytes += bytes_of(workspace / folder);
  }
  // Already being deleted.
  collected.used_bytes -= std::min(collected.used_bytes, bytes_of(workspace / "runs" / ".trash"));
  for (Candidate& each : candidates) {
    if (options.quota && collected.used_bytes - collected.freed_bytes <= *options.quota) break;
    if (!options.quota && each.item.why == Garbage::kStuck) continue;
    if (!options.dry_run) {
      // Check that the task has not changed meanwhile, and keep it from being given out.
      const Engine::Unclaimed hold(engine, each.task_id);
      const bool as_seen = engine.query([&](const Engine::View& view) {
        return same(see(view, each.task_id), seen.at(each.task_id));
      });
      if (!as_seen) continue;
      engine.discard(each.item.path);
    }
    collected.freed_bytes += each.item.bytes;
    collected.items.push_back(std::move(each.item));
  }
  return collected;
}

}  // namespace remixer::coordinator
