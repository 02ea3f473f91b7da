// SPDX-License-Identifier: Apache-2.0
// Notices: each is told at least once, by a real program and a real server, and nothing waits for
// them.
#include "coordinator/daemon/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "coordinator/daemon/webhook.h"
#include "tests/coordinator/support.h"
#include "tests/support/scripted_server.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class NotifierTest : public ::testing::Test {
 protected:
  NotifierTest() { open(); }
  void open() {
    engine.reset();
    engine = std::make_unique<Engine>(Engine::Options{folder.path, folder.path / "remixer.db", {}});
  }
  // A grid that fails at its first task.
  void fail_a_grid() {
    engine->submit(make_grid("g; touch $(oops)", {1}));
    const auto worker = engine->register_worker(make_worker(1)).worker_id;
    const auto assignment = engine->claim({worker, {}}).assignment.value();
    engine->result(result_of(assignment, protocol::Ending::kBadInput));
  }
  fs::path program(const std::string& text) {
    const fs::path file = folder.path / "tell";
    write_file_atomic(file, "#!/bin/sh\n" + text, 0755);
    return file;
  }
  NotifierOptions options() {
    NotifierOptions wanted;
    wanted.look_seconds = 0.02;
    wanted.first_pause_seconds = 0.05;
    wanted.log = folder.path / "notices.log";
    wanted.report = [this](const std::string& line) {
      std::lock_guard lock(mutex);
      said += line + "\n";
    };
    return wanted;
  }
  template <typename Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return condition();
  }
  std::string told() { return read_file_if_exists(folder.path / "told").value_or(""); }
  std::string reports() {
    std::lock_guard lock(mutex);
    return said;
  }

  TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
  std::mutex mutex;
  std::string said;
};

TEST_F(NotifierTest, CommandIsCalledWithoutAShellBetween) {
  fail_a_grid();
  auto wanted = options();
  wanted.command = program("printf '%s|%s|%s\\n' \"$1\" \"$2\" \"$REMIXER_NOTICE\" >> '" +
                           (folder.path / "told").string() + "'\n");
  Notifier notifier(*engine, wanted);
  ASSERT_TRUE(eventually([&] { return engine->notices().empty(); }));
  EXPECT_THAT(told(), HasSubstr("failed|g; touch $(oops)|{"));
  EXPECT_THAT(told(), HasSubstr("as the test wanted"));
  EXPECT_FALSE(fs::exists("oops"));
}

TEST_F(NotifierTest, CommandThatFailsIsCalledAgainAlsoAfterARestart) {
  fail_a_grid();
  auto wanted = options();
  const std::string told_file = (folder.path / "told").string();
  wanted.command = program("echo tried >> '" + told_file + "'; test -e '" +
                           (folder.path / "ready").string() + "'\n");
  {
    Notifier notifier(*engine, wanted);
    ASSERT_TRUE(eventually([&] {
      const std::string text = told();
      return std::count(text.begin(), text.end(), '\n') >= 2;
    }));
    EXPECT_THAT(reports(), HasSubstr("ended with 1"));
  }
  EXPECT_EQ(engine->notices().size(), 1u);
  open();
  write_file_atomic(folder.path / "ready", "");
  Notifier notifier(*engine, wanted);
  EXPECT_TRUE(eventually([&] { return engine->notices().empty(); }));
}

TEST_F(NotifierTest, CommandThatHangsIsEndedAndNobodyWaitsForIt) {
  fail_a_grid();
  auto wanted = options();
  wanted.timeout_seconds = 0.2;
  wanted.command = program("sleep 1000\n");
  Notifier notifier(*engine, wanted);
  const auto begun = std::chrono::steady_clock::now();
  engine->submit(make_grid("other", {2}));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_TRUE(
      eventually([&] { return reports().find("did not end within") != std::string::npos; }));
}

TEST_F(NotifierTest, WebhookIsPostedToUntilItIsTaken) {
  fail_a_grid();
  std::string request;
  remixer::testing::ScriptedServer server([&](remixer::testing::Peer& peer, int connection) {
    request = peer.receive();
    peer.answer(connection == 1 ? "500 Internal Server Error" : "200 OK", "");
  });
  auto wanted = options();
  wanted.url = fmt::format("http://127.0.0.1:{}/hook?a=b", server.access().port);
  Notifier notifier(*engine, wanted);
  ASSERT_TRUE(eventually([&] { return engine->notices().empty(); }));
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(request, HasSubstr("POST /hook?a=b HTTP/1.1"));
  EXPECT_THAT(request, HasSubstr("\"event\":\"failed\""));
  EXPECT_THAT(reports(), HasSubstr("answered 500"));
}

TEST_F(NotifierTest, WhereNobodyListensNoticesAreDropped) {
  fail_a_grid();
  Notifier notifier(*engine, options());
  EXPECT_TRUE(eventually([&] { return engine->notices().empty(); }));
}

TEST_F(NotifierTest, WrongReceiversAreRefusedAtTheStart) {
  auto wanted = options();
  wanted.command = folder.path / "nothing";
  EXPECT_THROW(Notifier(*engine, wanted), InputError);
  wanted.command.clear();
  wanted.url = "ftp://example.org/x";
  EXPECT_THROW(Notifier(*engine, wanted), InputError);
}

TEST(WebAddressTest, IsTakenApart) {
  const WebAddress plain = parse_web_address("http://[::1]:8080/a/b?c=d");
  EXPECT_EQ(plain.host, "::1");
  EXPECT_EQ(plain.port, "8080");
  EXPECT_EQ(plain.target, "/a/b?c=d");
  const WebAddress secure = parse_web_address("https://hooks.example.org");
  EXPECT_TRUE(secure.secure);
  EXPECT_EQ(secure.port, "443");
  EXPECT_EQ(secure.target, "/");
  for (const char* wrong : {"", "http://", "http://x:y/", "http://x/a b", "https:/x"}) {
    EXPECT_THROW(parse_web_address(wrong), InputError) << wrong;
  }
}

}  // namespace
}  // namespace remixer::coordinator
