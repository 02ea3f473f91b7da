// SPDX-License-Identifier: Apache-2.0
// How a worker reads what a daemon in trouble answers.
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/program.h"
#include "tests/support/scripted_server.h"
#include "worker/reporter.h"

namespace remixer::worker {
namespace {

using experiments::protocol::Refused;
using experiments::protocol::Unreachable;
using testing::Peer;
using testing::ScriptedServer;

class ConnectionTest : public ::testing::Test {
 protected:
  Connection to(const ScriptedServer& server) {
    experiments::protocol::write_access(folder_ / "access.json", server.access());
    return Connection(folder_ / "access.json");
  }
  testing::ScratchFolder folder_{"connection"};
};

// A daemon whose database cannot be written, or that is ending, answers 503: a finished result must
// be sent again later, never dropped.
TEST_F(ConnectionTest, UnavailableDaemonIsWorthAnotherTry) {
  ScriptedServer server([](Peer& peer, int) {
    peer.receive();
    peer.answer("503 Service Unavailable", R"({"error": "the disk is full"})");
  });
  Connection connection = to(server);
  EXPECT_THROW(connection.post("/result", {{"task_id", "t"}}), Unreachable);
}

TEST_F(ConnectionTest, RefusalIsFinal) {
  ScriptedServer server([](Peer& peer, int) {
    peer.receive();
    peer.answer("409 Conflict", R"({"error": "of an older attempt"})");
  });
  Connection connection = to(server);
  EXPECT_THROW(connection.post("/result", {{"task_id", "t"}}), Refused);
}

// A daemon that was killed and started again has another port and token. What is said next, perhaps
// the last that this worker says, must reach the new one.
TEST_F(ConnectionTest, TheNextDaemonIsAskedAtOnce) {
  const auto answer = [](const char* name) {
    return [name](Peer& peer, int) {
      peer.receive();
      peer.answer("200 OK", fmt::format(R"({{"name": "{}"}})", name));
    };
  };
  auto first = std::make_unique<ScriptedServer>(answer("first"));
  Connection connection = to(*first);
  EXPECT_EQ(connection.post("/claim", {{"worker_id", "w"}}).at("name"), "first");
  first.reset();
  EXPECT_THROW(connection.post("/result", {{"task_id", "t"}}), Unreachable);
  first = std::make_unique<ScriptedServer>(answer("second"));
  experiments::protocol::write_access(folder_ / "access.json", first->access());
  EXPECT_EQ(connection.post("/result", {{"task_id", "t"}}).at("name"), "second");
  first.reset();
  const ScriptedServer third(answer("third"));
  experiments::protocol::write_access(folder_ / "access.json", third.access());
  EXPECT_EQ(connection.post("/result", {{"task_id", "t"}}).at("name"), "third");
}

TEST_F(ConnectionTest, MissingAccessFileMeansNoDaemonYet) {
  Connection connection(folder_ / "access.json");
  EXPECT_THROW(connection.post("/claim", {{"worker_id", "w"}}), Unreachable);
}

}  // namespace
}  // namespace remixer::worker
