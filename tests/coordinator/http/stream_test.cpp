// SPDX-License-Identifier: Apache-2.0
// Event streams: what a client that stays is sent, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "coordinator/http/server.h"
#include "tests/coordinator/http/raw_client.h"

namespace remixer::coordinator {
namespace {

using ::testing::HasSubstr;
using testing::RawClient;
using ::testing::StartsWith;

// Says what the test puts in.
class Said : public EventStream {
 public:
  explicit Said(std::atomic<int>& counter) : counter_(counter) {}
  std::string next() override {
    const int now = counter_;
    if (now < 0) throw Error("over");
    if (now == told_) return "";
    told_ = now;
    return "data: " + std::to_string(now) + "\n\n";
  }

 private:
  std::atomic<int>& counter_;
  int told_ = 0;
};

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerOptions options;
    options.streams = 2;
    options.stream_seconds = 0.02;
    options.silence_seconds = 0.2;
    options.request_seconds = 1;
    server = std::make_unique<Server>(options);
    server->start([this](const HttpRequest&) {
      HttpResponse response;
      response.stream = std::make_shared<Said>(counter);
      return response;
    });
  }
  const std::string request = "GET /events HTTP/1.1\r\n\r\n";
  std::atomic<int> counter{1};
  std::unique_ptr<Server> server;
};

TEST_F(StreamTest, SendsWhatIsNewAndSignsOfLife) {
  RawClient client(server->port());
  client.send(request);
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(head, HasSubstr("text/event-stream"));
  EXPECT_EQ(client.read_until("\n\n"), "data: 1\n\n");
  counter = 2;
  EXPECT_EQ(client.read_until("\n\n"), "data: 2\n\n");
  EXPECT_EQ(client.read_until("\n\n"), ": still here\n\n");
  counter = 3;
  EXPECT_THAT(client.read_until("3\n\n"), HasSubstr("data: 3"));
  counter = -1;
  client.read_all();
}

TEST_F(StreamTest, AreCountedAndBounded) {
  RawClient first(server->port()), third(server->port());
  {
    RawClient second(server->port());
    first.send(request);
    second.send(request);
    first.read_until("data: 1\n\n");
    second.read_until("data: 1\n\n");
    EXPECT_EQ(server->counts().streams, 2);
    EXPECT_THAT(third.talk(request), StartsWith("HTTP/1.1 503"));
  }
  // The second has gone, which the next words to it show.
  for (int i = 0; i < 500 && server->counts().streams > 1; ++i) {
    ++counter;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(server->counts().streams, 1);
  RawClient fourth(server->port());
  fourth.send(request);
  EXPECT_THAT(fourth.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(StreamTest, ServerStopsWhileOneIsOpen) {
  RawClient client(server->port());
  client.send(request);
  client.read_until("data: 1\n\n");
  server.reset();
  client.read_all();
}

}  // namespace
}  // namespace remixer::coordinator
