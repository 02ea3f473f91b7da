// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/session.h"

#include "base/error.h"
#include "base/version.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/daemon/workspace.h"
#include "experiments/protocol/access.h"
#include "experiments/protocol/busy.h"

namespace remixer::coordinator::command {
namespace {

using experiments::protocol::Access;
using experiments::protocol::Client;

// A live daemon answers a ping at once, or after a while if it is committing a large submit.
constexpr double kTimeoutSeconds = 60;
constexpr double kPatienceSeconds = 1800;

}  // namespace

Session::Session(Access access)
    : access_(std::move(access)), client_(std::make_unique<Client>(access_, kTimeoutSeconds)) {}

Json Session::post_patiently(const std::string& path, const Json& body) {
  return Client(access_, kPatienceSeconds).post(path, body);
}

std::optional<Session> Session::find(const fs::path& workspace) {
  const auto access = experiments::protocol::read_access(
      experiments::protocol::access_file(fs::absolute(workspace)));
  if (!access) return std::nullopt;
  Session session(*access);
  try {
    session.get("/ping");
  } catch (const experiments::protocol::WrongCertificate&) {
    throw;
  } catch (const experiments::protocol::NotTheDaemon&) {
    // Another program may use the port of a daemon that has ended.
    if (!workspace_owned(fs::absolute(workspace))) return std::nullopt;
    throw;
  } catch (const experiments::protocol::Busy& busy) {
    // Another program may use the port of a daemon that has ended.
    if (!workspace_owned(fs::absolute(workspace))) return std::nullopt;
    throw experiments::protocol::Busy(
        fmt::format("a daemon works on {}, but is too busy to answer ({}); try again",
                    workspace.string(), busy.what()));
  } catch (const experiments::protocol::UnknownHost&) {
    // The daemon cannot be asked whether it is alive, so check its lock.
    if (!workspace_owned(fs::absolute(workspace))) return std::nullopt;
    throw;
  } catch (const experiments::protocol::Unreachable&) {
    return std::nullopt;
  } catch (const experiments::protocol::Refused& refused) {
    // The daemon has ended and another program uses its port now.
    if (refused.status == 401 || refused.status == 403 || refused.status == 404)
      return std::nullopt;
    throw;
  }
  return session;
}

void Session::fail_other_version(const InputError& error) {
  fail(
      "the daemon's answer is not understood ({}): it runs another version than {}; end it with "
      "`remixer down` and start this one's",
      error.what(), version());
}

Json Session::get_whole(const std::string& path, const std::string& name) {
  Json whole = get(path);
  const char joint = path.find('?') == std::string::npos ? '?' : '&';
  for (Json next = whole.value("next", Json()); !next.is_null();) {
    Json more = get(fmt::format("{}{}after={}", path, joint, next.get<int64_t>()));
    for (Json& element : more.at(name)) whole[name].push_back(std::move(element));
    next = more.value("next", Json());
  }
  whole["next"] = nullptr;
  return whole;
}

Session Session::require(const fs::path& workspace) {
  auto session = find(workspace);
  if (!session) {
    fail_input("no daemon works on {}: start one with `remixer up --workspace {}`",
               workspace.string(), workspace.string());
  }
  return std::move(*session);
}

SessionOrDaemon::SessionOrDaemon(DaemonOptions options) {
  session_ = Session::find(options.workspace);
  if (session_) return;
  options.workers = 0;
  own_ = std::make_unique<Daemon>(std::move(options));
  own_->start();
  session_.emplace(own_->access());
}

SessionOrDaemon::~SessionOrDaemon() {
  session_.reset();
  if (!own_) return;
  own_->stop();
  own_->wait();
}

SessionOrDaemon open_existing(const fs::path& workspace) {
  { const Source found(workspace); }  // its open read would keep the daemon out
  DaemonOptions options;
  options.workspace = workspace;
  return SessionOrDaemon(options);
}

}  // namespace remixer::coordinator::command
