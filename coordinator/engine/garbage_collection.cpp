#include "coordinator/engine/garbage_collection.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/file.h"

namespace remixer::coordinator {

using experiments::Json;

namespace {

uint64_t bytes_of(const fs::path& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return 0;
  uint64_t bytes = static_cast<uint64_t>(about.st_blocks) * 512;
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

bool is_task_id(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_checkpoint(const std::string& name) {
  return name.starts_with("checkpoint-");
}

// A checkpoint from which a run can go on: its text is written last.
bool has_checkpoint(const fs::path& folder) {
  const auto files = entries(folder);
  return std::any_of(files.begin(), files.end(), [](const fs::path& file) {
    return is_checkpoint(file.filename().string()) && file.extension() == ".json";
  });
}

// What the engine knows of a task at the moment of asking.
struct Seen {
  bool known = false, busy = false;
  TaskState state = TaskState::kWaiting;
  bool removed = false;
  int64_t attempts = 0;
  std::string title;
};

Seen see(const State& state, const std::string& id) {
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
  return seen;
}

struct Candidate {
  Collected::Item item;
  std::string task_id;
  double age = 0;  // when it was written
};

// Finds what may go of one task's folder.
class TaskFolder {
 public:
  TaskFolder(const fs::path& workspace, const std::string& id, const Seen& seen)
      : workspace_(workspace), id_(id), seen_(seen) {}

  std::vector<Candidate> find() {
    const fs::path folder = workspace_ / "runs" / id_;
    if (!seen_.known || (seen_.removed && !seen_.busy)) {
      add(folder, Garbage::kRemoved);
      return std::move(found_);
    }
    std::map<int64_t, fs::path> attempts;
    for (const fs::path& each : entries(folder)) {
      const std::string name = each.filename().string();
      if (!name.empty() && name.size() < 18 &&
          name.find_first_not_of("0123456789") == std::string::npos) {
        attempts[std::stoll(name)] = each;
      }
    }
    int64_t goes_on_from = 0;  // the newest attempt that left a checkpoint
    for (const auto& [number, path] : attempts) {
      if (has_checkpoint(path)) goes_on_from = number;
    }
    for (const auto& [number, path] : attempts) {
      if (seen_.busy && number == seen_.attempts) continue;  // it may be writing
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

  void add(const fs::path& path, Garbage why) {
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
  return a.known == b.known && a.busy == b.busy && a.state == b.state && a.attempts == b.attempts;
}

}  // namespace

std::string_view to_string(Garbage garbage) {
  static constexpr std::array<std::string_view, 4> kNames = {"removed", "superseded", "refused",
                                                             "stuck"};
  return kNames[static_cast<size_t>(garbage)];
}

Json to_json(const Collected& collected) {
  Json items = Json::array();
  for (const Collected::Item& item : collected.items) {
    items.push_back({{"path", item.path},
                     {"why", to_string(item.why)},
                     {"bytes", item.bytes},
                     {"task", item.task}});
  }
  return {{"items", std::move(items)},
          {"used_bytes", collected.used},
          {"freed_bytes", collected.freed},
          {"quota_bytes", collected.quota ? Json(*collected.quota) : Json(nullptr)},
          {"dry_run", collected.dry_run}};
}

Collected collect_garbage(Engine& engine, const CollectOptions& options) {
  const fs::path workspace = engine.workspace();
  std::vector<std::string> ids;
  for (const fs::path& each : entries(workspace / "runs")) {
    if (is_task_id(each.filename().string())) ids.push_back(each.filename().string());
  }
  std::map<std::string, Seen> seen;
  engine.query([&](const Engine::View& view) {
    for (const std::string& id : ids) seen.emplace(id, see(view.state, id));
    return Json();
  });
  std::vector<Candidate> candidates;
  for (const std::string& id : ids) {
    for (Candidate& each : TaskFolder(workspace, id, seen.at(id)).find()) {
      candidates.push_back(std::move(each));
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return std::pair(a.item.why, a.age) < std::pair(b.item.why, b.age);
  });
  Collected collected;
  collected.quota = options.quota;
  collected.dry_run = options.dry_run;
  for (const char* folder : {"runs", "datasets", "labels", "models", "reports", "logs"}) {
    collected.used += bytes_of(workspace / folder);
  }
  // What is on its way out already.
  collected.used -= std::min(collected.used, bytes_of(workspace / "runs" / ".trash"));
  for (Candidate& each : candidates) {
    if (options.quota &&
        collected.used - std::min(collected.used, collected.freed) <= *options.quota) {
      break;
    }
    if (!options.quota && each.item.why == Garbage::kStuck) break;
    if (!options.dry_run) {
      // Nothing has happened to the task since it was looked at, and nothing can meanwhile.
      const Json gone = engine.query([&](const Engine::View& view) {
        if (!same(see(view.state, each.task_id), seen.at(each.task_id))) return Json(false);
        engine.discard(each.item.path);
        return Json(true);
      });
      if (!gone.get<bool>()) continue;
    }
    collected.freed += each.item.bytes;
    collected.items.push_back(std::move(each.item));
  }
  return collected;
}

}  // namespace remixer::coordinator
