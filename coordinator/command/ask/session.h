// SPDX-License-Identifier: Apache-2.0
// Connects to a workspace's daemon, or starts one in this process.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "coordinator/daemon/daemon.h"
#include "experiments/protocol/client.h"

namespace remixer::coordinator::command {

namespace fs = std::filesystem;

// The API of a running daemon. One thread at a time. Calls throw as Client's do.
class Session {
 public:
  explicit Session(experiments::protocol::Access access);

  // Nothing where the workspace has no daemon, or its access file is one that a killed daemon left.
  // Throws WrongCertificate where somebody else answers in its place under TLS.
  static std::optional<Session> find(const fs::path& workspace);
  // Throws InputError saying how to start one where none answers.
  static Session require(const fs::path& workspace);

  Json get(const std::string& path) { return client_->get(path); }
  // Of what is answered in pages: the first answer, with all of the list `name`.
  Json get_whole(const std::string& path, const std::string& name);
  Json post(const std::string& path, const Json& body = Json::object()) {
    return client_->post(path, body);
  }
  // The same for what may take minutes, on a connection of its own.
  Json post_patiently(const std::string& path, const Json& body);

 private:
  experiments::protocol::Access access_;
  std::unique_ptr<experiments::protocol::Client> client_;
};

// The workspace's daemon; where there is none, one of this process's own, without workers, that
// ends with this object: it takes and keeps what is asked of it until a later daemon does the work.
class SessionOrDaemon {
 public:
  // Throws InputError as Daemon::start does.
  explicit SessionOrDaemon(DaemonOptions options);
  // Ends an own daemon in order.
  ~SessionOrDaemon();

  Session& session() { return *session_; }
  // Null where the daemon is another process.
  Daemon* own() { return own_.get(); }

 private:
  std::unique_ptr<Daemon> own_;
  std::optional<Session> session_;
};

// The same, only where there is a workspace: a mistyped folder is not made into an empty one.
// Throws InputError where there is none.
SessionOrDaemon open_existing(const fs::path& workspace);

}  // namespace remixer::coordinator::command
