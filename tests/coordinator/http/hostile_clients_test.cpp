// SPDX-License-Identifier: Apache-2.0
// Clients that are slow, half open, too many or too fast: the others are served all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <thread>

#include "coordinator/http/server.h"
#include "coordinator/http/token_bucket.h"
#include "tests/coordinator/http/raw_client.h"

namespace remixer::coordinator {
namespace {

using ::testing::HasSubstr;
using testing::RawClient;
using ::testing::StartsWith;
using Time = std::chrono::steady_clock;

const char* const kGood = "GET /good HTTP/1.1\r\nAuthorization: yes\r\nConnection: close\r\n\r\n";
const char* const kGoodKept = "GET /good HTTP/1.1\r\nAuthorization: yes\r\n\r\n";
const char* const kBad = "GET /good HTTP/1.1\r\n\r\n";

// More than the system's buffers take.
const std::string kLarge(24 << 20, 'x');

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

class HostileClientsTest : public ::testing::Test {
 protected:
  void start(ServerOptions options) {
    server = std::make_unique<Server>(options);
    const auto gate = [](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (request.authorization == "yes") return std::nullopt;
      return error_response(401, "no token");
    };
    server->start(
        [gate](const HttpRequest& request) {
          if (request.path == "/anybody") {
            HttpResponse answer{200, Json("hello")};
            answer.let_in = false;
            return answer;
          }
          if (auto refused = gate(request)) return *refused;
          if (request.path == "/large") return text_response("text/plain", kLarge);
          return HttpResponse{200, Json("good")};
        },
        gate);
  }
  std::string good() { return RawClient(server->port()).talk(kGood); }

  std::unique_ptr<Server> server;
};

TEST_F(HostileClientsTest, HalfOpenConnectionsMakeRoomForNewOnes) {
  ServerOptions options;
  options.connections = 8;
  start(options);
  std::deque<RawClient> silent;
  for (int i = 0; i < 40; ++i) silent.emplace_back(server->port());
  for (auto& each : silent) each.send("GET / HT");
  const auto begun = Time::now();
  for (int i = 0; i < 5; ++i) EXPECT_THAT(good(), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(seconds_since(begun), 5) << "long before the silent ones are given up";
}

TEST_F(HostileClientsTest, ThoseWhoWereLetInStay) {
  ServerOptions options;
  options.connections = 8;
  start(options);
  RawClient known(server->port());
  known.send(kGoodKept);
  EXPECT_THAT(known.read_until("\"good\""), StartsWith("HTTP/1.1 200"));
  std::deque<RawClient> silent;
  for (int i = 0; i < 40; ++i) silent.emplace_back(server->port());
  EXPECT_THAT(good(), StartsWith("HTTP/1.1 200"));
  known.send(kGoodKept);
  EXPECT_THAT(known.read_until("\"good\""), StartsWith("HTTP/1.1 200"));
}

// What is told to anybody proves nothing.
TEST_F(HostileClientsTest, AnswersToAnybodyLetNobodyIn) {
  ServerOptions options;
  options.connections = 4;
  options.reserve = 0;
  start(options);
  std::deque<RawClient> strangers;
  for (int i = 0; i < 4; ++i) {
    strangers.emplace_back(server->port());
    strangers.back().send("GET /anybody HTTP/1.1\r\n\r\n");
    EXPECT_THAT(strangers.back().read_until("\"hello\""), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_THAT(good(), StartsWith("HTTP/1.1 200"));
}

// A command asks for the daemon's proof, and then its question.
TEST_F(HostileClientsTest, TheReserveAnswersAProofAndAQuestion) {
  ServerOptions options;
  options.connections = 1;
  options.reserve = 2;
  start(options);
  RawClient worker(server->port());
  worker.send(kGoodKept);
  worker.read_until("\"good\"");
  RawClient command(server->port());
  command.send("GET /anybody HTTP/1.1\r\n\r\n");
  EXPECT_THAT(command.read_until("\"hello\""), StartsWith("HTTP/1.1 200"));
  command.send(kGoodKept);
  EXPECT_THAT(command.read_all(), HasSubstr("Connection: close"));
  RawClient curious(server->port());
  for (int i = 0; i < 2; ++i) curious.send("GET /anybody HTTP/1.1\r\n\r\n");
  EXPECT_THAT(curious.read_all(), HasSubstr("Connection: close")) << "no place to stay";
}

TEST_F(HostileClientsTest, WhereAllWereLetInANewOneIsClosed) {
  ServerOptions options;
  options.connections = 2;
  options.reserve = 0;
  start(options);
  RawClient first(server->port()), second(server->port());
  for (RawClient* each : {&first, &second}) {
    each->send(kGoodKept);
    each->read_until("\"good\"");
  }
  EXPECT_EQ(good(), "");
  first.send(kGood);
  EXPECT_THAT(first.read_all(), StartsWith("HTTP/1.1 200"));
}

// Commands are answered though workers hold all connections: one request each.
TEST_F(HostileClientsTest, TheReserveAnswersOneRequestOfANewOne) {
  ServerOptions options;
  options.connections = 2;
  options.reserve = 1;
  start(options);
  RawClient first(server->port()), second(server->port());
  for (RawClient* each : {&first, &second}) {
    each->send(kGoodKept);
    each->read_until("\"good\"");
  }
  RawClient command(server->port());
  command.send(kGoodKept);
  const std::string answer = command.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST_F(HostileClientsTest, ThoseWhoDoNotReadHoldNobodyUp) {
  ServerOptions options;
  options.threads = 2;
  options.request_seconds = 1;
  start(options);
  std::deque<RawClient> deaf;
  for (int i = 0; i < 6; ++i) {
    deaf.emplace_back(server->port());
    deaf.back().send("GET /large HTTP/1.1\r\nAuthorization: yes\r\n\r\n");
  }
  const auto begun = Time::now();
  EXPECT_THAT(good(), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(seconds_since(begun), 5);
  // They are given up after their second.
  const auto patience = Time::now();
  while (server->counts().connections > 0 && seconds_since(patience) < 20) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(server->counts().connections, 0);
}

TEST_F(HostileClientsTest, ABodyThatComesDropByDropIsGivenUp) {
  ServerOptions options;
  options.request_seconds = 0.5;
  start(options);
  RawClient slow(server->port());
  slow.send("POST /good HTTP/1.1\r\nAuthorization: yes\r\nContent-Length: 1000\r\n\r\n");
  const auto begun = Time::now();
  while (slow.send("x") && seconds_since(begun) < 20) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LT(seconds_since(begun), 10);
}

TEST_F(HostileClientsTest, GuessingIsSlowedDown) {
  ServerOptions options;
  options.refusals_per_second = 1;  // five at once
  start(options);
  std::string answers;
  for (int i = 0; i < 8; ++i) {
    RawClient client(server->port());
    client.send(kBad);
    answers += client.read_until("\r\n");
  }
  EXPECT_THAT(answers, HasSubstr("401"));
  EXPECT_THAT(answers, HasSubstr("429"));
  EXPECT_THAT(good(), StartsWith("HTTP/1.1 200")) << "who has the token does not wait";
  EXPECT_EQ(server->counts().refusals, 8u);
}

// Forty connections with a body each would else take as much memory as they like to send.
TEST_F(HostileClientsTest, BodyOfAStrangerIsNotRead) {
  start({});
  RawClient stranger(server->port());
  stranger.send("POST /good HTTP/1.1\r\nContent-Length: 60000000\r\n\r\nthe beginning");
  EXPECT_THAT(stranger.read_all(), StartsWith("HTTP/1.1 401"));
  RawClient known(server->port());
  known.send("POST /good HTTP/1.1\r\nAuthorization: yes\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(known.read_until("\"good\""), StartsWith("HTTP/1.1 200"));
}

// Workers may have all connections there are: a command still gets its answer.
TEST_F(HostileClientsTest, SomeConnectionsAreKeptForCommands) {
  ServerOptions options;
  options.connections = 4;
  options.reserve = 2;
  start(options);
  std::deque<RawClient> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back(server->port());
    workers.back().send(kGoodKept);
    EXPECT_THAT(workers.back().read_until("\"good\""), StartsWith("HTTP/1.1 200"));
  }
  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(RawClient(server->port()).talk(kGoodKept), HasSubstr("good"));
  for (auto& worker : workers) {
    worker.send(kGoodKept);
    EXPECT_THAT(worker.read_until("\"good\""), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(HostileClientsTest, AFastClientWaitsAndIsServed) {
  ServerOptions options;
  options.requests_per_second = 10;  // ten at once
  start(options);
  RawClient fast(server->port());
  const auto begun = Time::now();
  for (int i = 0; i < 15; ++i) {
    fast.send(kGoodKept);
    EXPECT_THAT(fast.read_until("\"good\""), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_GT(seconds_since(begun), 0.35);
  EXPECT_THAT(good(), StartsWith("HTTP/1.1 200"));
}

TEST(ConnectionsTest, FollowTheLimitOfOpenFiles) {
  // What is left must hold the reserve for commands.
  for (const uint64_t files : {64u, 256u, 512u, 1024u, 4096u, 65536u}) {
    const int connections = connections_for(files);
    EXPECT_GT(connections, 0);
    EXPECT_GE(static_cast<int>(files) - connections, files < 512 ? 32 : 256) << files;
  }
  EXPECT_GE(connections_for(4500), 2 * 2000) << "two thousand workers";
  EXPECT_EQ(connections_for(~uint64_t{0}), connections_for(65536)) << "no limit";
}

TEST(TokenBucketTest, EarnsWhatItGives) {
  TokenBucket bucket(2, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(10));
  EXPECT_FALSE(bucket.take(10));
  EXPECT_FALSE(bucket.take(10.4));
  EXPECT_TRUE(bucket.take(10.6));
  EXPECT_FALSE(bucket.take(5)) << "a time before";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(1000)) << "never more than three";
  EXPECT_NEAR(bucket.take_on_credit(1000), 0.5, 1e-9);
  EXPECT_NEAR(bucket.take_on_credit(1000), 1.0, 1e-9);
}

}  // namespace
}  // namespace remixer::coordinator
