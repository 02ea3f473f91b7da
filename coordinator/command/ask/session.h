// SPDX-License-Identifier: Apache-2.0
// Connects to a workspace's daemon, or starts one in this process.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "coordinator/daemon/daemon.h"
#include "experiments/protocol/answers.h"
#include "experiments/protocol/client.h"

namespace remixer::coordinator::command {

namespace fs = std::filesystem;

// A client of a running daemon's API. One thread at a time. Calls throw as Client's do.
class Session {
 public:
  explicit Session(experiments::protocol::Access access);

  // Nothing if the workspace has no daemon, or if a killed daemon left its access file behind.
  // Throws WrongCertificate if another server answers in its place under TLS.
  static std::optional<Session> find(const fs::path& workspace);
  // Throws InputError saying how to start a daemon if none answers.
  static Session require(const fs::path& workspace);

  Json get(const std::string& path) { return client_->get(path); }
  // The answer as one of experiments/protocol/answers.h. Like ask_whole() and order(), throws Error
  // if the daemon is of a version that answers otherwise.
  template <typename Answer>
  Answer ask(const std::string& path) {
    return understood<Answer>(get(path));
  }
  // For paged answers: the first answer, with the complete list `name` and no `next`.
  template <typename Answer>
  Answer ask_whole(const std::string& path, const std::string& name) {
    return understood<Answer>(get_whole(path, name));
  }
  template <typename Answer>
  Answer order(const std::string& path, const Json& body = Json::object()) {
    return understood<Answer>(post(path, body));
  }
  Json post(const std::string& path, const Json& body = Json::object()) {
    return client_->post(path, body);
  }
  // post() for requests that may take minutes, on a separate connection.
  Json post_patiently(const std::string& path, const Json& body);

 private:
  // Throws Error if the daemon's answer lacks something: it is of another version.
  template <typename Answer>
  static Answer understood(const Json& answer) {
    try {
      return experiments::protocol::answers::from_json<Answer>(answer);
    } catch (const InputError& error) {
      fail_other_version(error);
    }
  }
  [[noreturn]] static void fail_other_version(const InputError& error);
  Json get_whole(const std::string& path, const std::string& name);

  experiments::protocol::Access access_;
  std::unique_ptr<experiments::protocol::Client> client_;
};

// Uses the workspace's daemon; if there is none, starts one in this process, without workers, that
// ends with this object. It stores requests until a later daemon does the work.
class SessionOrDaemon {
 public:
  // Throws InputError as Daemon::start does.
  explicit SessionOrDaemon(DaemonOptions options);
  // Shuts down a daemon of this process in order.
  ~SessionOrDaemon();

  Session& session() { return *session_; }
  // Null if the daemon is another process.
  Daemon* own() { return own_.get(); }

 private:
  std::unique_ptr<Daemon> own_;
  std::optional<Session> session_;
};

// Same, but only if the workspace exists, so that a mistyped path does not create an empty one.
// Throws InputError if it does not exist.
SessionOrDaemon open_existing(const fs::path& workspace);

}  // namespace remixer::coordinator::command
