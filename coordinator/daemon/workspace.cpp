// SPDX-License-Identifier: Apache-2.0
#include "coordinator/daemon/workspace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/host.h"
#include "coordinator/engine/workspace_id.h"

namespace remixer::coordinator {

namespace {

// Maximum difference of two hosts' clocks plus maximum time between renewals.
constexpr double kStaleSeconds = 60;
constexpr double kWatchSeconds = 3 * WorkspaceLock::kRenewSeconds;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

fs::path absolute_folder(const fs::path& folder) {
  std::error_code code;
  fs::path path = fs::weakly_canonical(folder, code);
  return code ? fs::absolute(folder) : path;
}

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

std::string owner_text(const Json& owner) {
  return fmt::format("process {} on {}", owner.value("pid", int64_t{0}),
                     owner.value("host", std::string("an unknown host")));
}

Json read_owner(const fs::path& file) {
  const auto text = read_file_if_exists(file);
  if (!text) return nullptr;
  Json owner = Json::parse(*text, nullptr, false);
  return owner.is_object() ? owner : Json(nullptr);
}

[[noreturn]] void refuse(const fs::path& workspace, const Json& owner) {
  fail_input(
      "workspace {} is in use by another daemon ({}); stop that one first or choose another "
      "--workspace",
      workspace.string(), owner_text(owner));
}

}  // namespace

fs::path state_folder(const fs::path& workspace) {
  if (const std::string chosen = environment("REMIXER_STATE_FOLDER"); !chosen.empty()) {
    return absolute_folder(chosen);
  }
  const fs::path folder = absolute_folder(workspace);
  if (!on_network_file_system(folder)) return folder;
  const std::string home = environment("XDG_STATE_HOME");
  const fs::path base =
      home.empty() ? fs::path(environment("HOME")) / ".local" / "state" : fs::path(home);
  const fs::path state = base / "remixer" / sha256_hex(folder.string()).substr(0, 16);
  if (on_network_file_system(state)) {
    fail_input(
        "workspace {} and {} are both on network file systems, where the database cannot be "
        "kept; set REMIXER_STATE_FOLDER to a folder on a local disk",
        folder.string(), base.string());
  }
  return state;
}

fs::path database_file(const fs::path& workspace) {
  return state_folder(workspace) / "remixer.db";
}

fs::path prepare_workspace(const fs::path& workspace) {
  const fs::path folder = absolute_folder(workspace);
  refuse_export(folder, database_file(folder));  // before anything is written
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail_input("cannot create workspace {}: {}", folder.string(), code.message());
  try {
    for (const char* name : {"datasets", "labels", "models", "runs", "reports", "logs"}) {
      fs::create_directories(folder / name);
    }
    // More than one block, so that a full disk is detected.
    const fs::path probe = folder / ".write-test";
    write_file_atomic(probe, std::string(64 * 1024, 'x'));
    fs::remove(probe);
  } catch (const std::exception& error) {
    fail_input(
        "workspace {} cannot be written ({}); make it writable, make room, or choose another "
        "--workspace",
        folder.string(), error.what());
  }
  return folder;
}

bool workspace_owned(const fs::path& workspace) {
  const fs::path file = workspace / "daemon.lock";
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  if (held) return true;
  const Json owner = read_owner(file);
  if (owner.is_null() || owner.value("released", false)) return false;
  return owner.value("host", host_name()) != host_name() &&
         std::abs(system_clock().wall() - owner.value("renewed_seconds", 0.0)) < kStaleSeconds;
}

struct WorkspaceLock::State {
  fs::path workspace, file;
  std::optional<FileLock> lock;
  Json mine;

  void write() {
    mine["renewed"] = iso_time(system_clock().wall());
    mine["renewed_seconds"] = system_clock().wall();
    lock->write(mine.dump(2) + "\n");
  }

  // False if another host has since written itself as owner.
  bool ours() const {
    const Json owner = read_owner(file);
    return !owner.is_object() || owner.value("host", mine["host"]) == mine["host"];
  }

  // Another host's daemon may own the workspace although its lock is not visible here.
  void check_other_host() {
    const Json owner = read_owner(file);
    if (owner.is_null() || owner.value("released", false)) return;
    if (owner.value("host", mine["host"]) == mine["host"]) return;
    const double age = system_clock().wall() - owner.value("renewed_seconds", 0.0);
    if (std::abs(age) < kStaleSeconds) refuse(workspace, owner);
    // Its clock may be wrong: watch whether the text is renewed.
    for (double waited = 0; waited < kWatchSeconds; waited += 0.5) {
      sleep_seconds(0.5);
      if (read_owner(file) != owner) refuse(workspace, owner);
    }
  }
};

WorkspaceLock::WorkspaceLock(const fs::path& workspace) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.workspace = workspace;
  s.file = workspace / "daemon.lock";
  auto lock = FileLock::try_lock(s.file);
  // Another process may hold the lock briefly to check whether it is held.
  for (int i = 0; !lock && i < 5; ++i) {
    sleep_seconds(0.1);
    if (auto again = FileLock::try_lock(s.file)) lock.emplace(std::move(*again));
  }
  if (!lock) refuse(workspace, read_owner(s.file));
  s.lock.emplace(std::move(*lock));
  s.mine = {
      {"host", host_name()}, {"pid", ::getpid()}, {"boot_id", boot_id()}, {"released", false}};
  s.check_other_host();
  s.write();
  if (on_network_file_system(workspace)) {
    // If two hosts started at the same moment, the last writer becomes the owner.
    sleep_seconds(2);
    renew();
  }
}

WorkspaceLock::~WorkspaceLock() {
  try {
    state_->mine["released"] = true;
    if (state_->ours()) state_->write();
  } catch (const std::exception&) {
    // The next owner must then wait until the text is stale.
  }
}

void WorkspaceLock::renew() {
  if (!state_->ours()) {
    fail("workspace {} was taken by {}", state_->workspace.string(),
         owner_text(read_owner(state_->file)));
  }
  state_->write();
}

}  // namespace remixer::coordinator
