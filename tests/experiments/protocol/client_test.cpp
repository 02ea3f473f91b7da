// SPDX-License-Identifier: Apache-2.0
// The client against a real socket whose other end follows a script.

#include "experiments/protocol/client.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "experiments/protocol/busy.h"
#include "experiments/protocol/proof.h"
#include "tests/experiments/expect_error.h"
#include "tests/support/scripted_server.h"

namespace remixer::experiments::protocol {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using remixer::testing::Peer;
using Server = remixer::testing::ScriptedServer;

template <typename E, typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "the expected error was not thrown";
  return {};
}

TEST(Client, SpeaksHttpWithTheToken) {
  std::string seen;
  std::mutex mutex;
  Server server([&](Peer& peer, int) {
    const std::string request = peer.receive();
    const std::lock_guard lock(mutex);
    seen = request;
    peer.answer("200 OK", R"({"worker_id": "w1"})", "Content-Type: application/json\r\n");
  });
  Client client(server.access());
  EXPECT_EQ(client.post("/claim", {{"worker_id", "w1"}}), (Json{{"worker_id", "w1"}}));
  const std::lock_guard lock(mutex);
  EXPECT_THAT(seen, AllOf(HasSubstr("POST /api/v1/claim HTTP/1.1\r\n"),
                          HasSubstr(fmt::format("Host: 127.0.0.1:{}\r\n", server.access().port)),
                          HasSubstr("Authorization: Bearer secret\r\n"),
                          HasSubstr("Content-Type: application/json\r\n"),
                          HasSubstr("\r\n\r\n{\"worker_id\":\"w1\"}")));
}

// The daemon would end the connection in the middle of it: "broken pipe" tells nobody what to do.
TEST(Client, SaysWhatIsTooLargeToSend) {
  Server server([&](Peer& peer, int) { peer.receive(); });
  Client client(server.access());
  const Json large = {{"text", std::string(kLargestRequest, 'x')}};
  EXPECT_EQ(input_error([&] { client.post("/grids", large); }),
            "what is sent to /grids is too large: 64 MiB, and a daemon takes 64; send it in parts");
  EXPECT_EQ(server.connections(), 0);
}

TEST(Client, KeepsOneConnection) {
  Server server([&](Peer& peer, int) {
    while (!peer.receive().empty()) peer.answer("200 OK", "[1]");
  });
  {
    Client client(server.access());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(client.get("/tasks?grid=3"), Json::array({1}));
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(Client, OpensANewConnectionWhereTheKeptOneHasGone) {
  Server server([&](Peer& peer, int connection) {
    peer.receive();
    peer.answer("200 OK", std::to_string(connection));  // and hangs up without a word
  });
  Client client(server.access());
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(client.post("/result", Json::object()), i);
  EXPECT_EQ(server.connections(), 4);
}

TEST(Client, ObeysAClose) {
  Server server([&](Peer& peer, int connection) {
    peer.receive();
    peer.answer("200 OK", std::to_string(connection), "Connection: close\r\n");
    peer.receive();  // until the client has closed its end
  });
  Client client(server.access());
  EXPECT_EQ(client.get("/a"), 1);
  EXPECT_EQ(client.get("/a"), 2);
}

TEST(Client, DoesNotSendAgainOnceAnAnswerHasBegun) {
  std::atomic<int> requests = 0;
  Server server([&](Peer& peer, int connection) {
    while (!peer.receive().empty()) {
      ++requests;
      if (requests == 1) {
        peer.answer("200 OK", "{}");
      } else {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
        return;
      }
    }
    EXPECT_LE(connection, 1);
  });
  Client client(server.access());
  client.get("/a");
  EXPECT_THAT(error_of<Unreachable>([&] { client.post("/result", Json::object()); }),
              HasSubstr("broke"));
  EXPECT_EQ(requests, 2);
}

TEST(Client, AFreshConnectionThatIsClosedIsAnError) {
  std::atomic<int> requests = 0;
  Server server([&](Peer& peer, int) { requests += peer.receive().empty() ? 0 : 1; });
  Client client(server.access());
  EXPECT_THROW(client.get("/a"), Unreachable);
  EXPECT_EQ(requests, 1);
}

TEST(Client, GivesUpAfterItsTimeAndRecovers) {
  Server server([&](Peer& peer, int connection) {
    peer.receive();
    if (connection == 1) {
      peer.receive();  // no answer; until the client hangs up
    } else {
      peer.answer("200 OK", "\"late\"");
    }
  });
  Client client(server.access(), 0.2);
  EXPECT_THAT(error_of<Unreachable>([&] { client.get("/a"); }),
              HasSubstr("did not answer within 0.2 s"));
  EXPECT_EQ(client.get("/a"), "late");
}

// A daemon that hangs is not one that has gone: the request is not sent a second time.
TEST(Client, GivesUpOnAKeptConnectionToo) {
  std::atomic<int> requests = 0;
  Server server([&](Peer& peer, int) {
    while (!peer.receive().empty()) {
      if (++requests == 1) peer.answer("200 OK", "1");
    }
  });
  Client client(server.access(), 0.2);
  client.get("/a");
  EXPECT_THAT(error_of<Unreachable>([&] { client.get("/a"); }),
              HasSubstr("did not answer within 0.2 s"));
  EXPECT_EQ(requests, 2);
}

// A kept connection may be older than the timeout: only the request counts.
TEST(Client, IdleTimeIsNotCounted) {
  Server server([&](Peer& peer, int) {
    while (!peer.receive().empty()) peer.answer("200 OK", "1");
  });
  Client client(server.access(), 0.2);
  client.get("/a");
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_EQ(client.get("/a"), 1);
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, SaysWhenNobodyListens) {
  Access access;
  {
    Server server([](Peer&, int) {});
    access = server.access();
  }
  Client client(access);
  EXPECT_THAT(error_of<Unreachable>([&] { client.get("/a"); }),
              AllOf(HasSubstr("cannot reach the daemon at 127.0.0.1:"), HasSubstr("refused"),
                    HasSubstr("remixer up")));
}

TEST(Client, PassesOnWhyTheDaemonRefuses) {
  Server server([&](Peer& peer, int) {
    peer.receive();
    peer.answer("409 Conflict", R"({"error": "the attempt is\nno longer valid"})");
    peer.receive();
    peer.answer("502 Bad Gateway", "<html>");
    peer.receive();
    peer.answer("200 OK", "{}");
  });
  Client client(server.access());
  try {
    client.post("/result", Json::object());
    FAIL() << "not refused";
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.status, 409);
    EXPECT_STREQ(refused.what(), "the attempt is no longer valid");
  }
  EXPECT_EQ(error_of<Refused>([&] { client.get("/a"); }), "the daemon answered 502 Bad Gateway");
  EXPECT_EQ(client.get("/a"), Json::object());  // on the same connection
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, AnAnswerThatIsNoJsonIsAnError) {
  Server server([&](Peer& peer, int) {
    peer.receive();
    peer.answer("200 OK", "<html>hello</html>");
    peer.receive();
    peer.answer("204 No Content", "");
  });
  Client client(server.access());
  EXPECT_THAT(error_of<Error>([&] { client.get("/a"); }), HasSubstr("is not JSON"));
  EXPECT_TRUE(client.get("/a").is_null());
}

TEST(Client, BytesThatAreNoUtf8DoNotStopAMessage) {
  Server server([&](Peer& peer, int) {
    const std::string request = peer.receive();
    peer.answer("200 OK", request.find("\xef\xbf\xbd") != std::string::npos ? "true" : "false");
  });
  Client client(server.access());
  EXPECT_EQ(client.post("/result", {{"reason", "log \xff line"}}), true);
}

// Another user's process on the port of a daemon that crashed.
TEST(Client, ShowsItsTokenToNobodyWhoCannotProveToKnowIt) {
  std::string seen;
  std::mutex mutex;
  for (const char* proof : {"", R"({"proof": "00"})", R"({"proof": null})", "[]"}) {
    Server impostor(
        [&](Peer& peer, int) {
          for (std::string request; !(request = peer.receive_any()).empty();) {
            const std::lock_guard lock(mutex);
            seen += request;
            peer.answer("200 OK", proof);
          }
        },
        "");
    Client client(impostor.access());
    EXPECT_THAT(error_of<NotTheDaemon>([&] {
                  client.post("/claim", {{"worker_id", "w1"}});
                }),
                HasSubstr("is not the daemon of the access file"));
  }
  const std::lock_guard lock(mutex);
  EXPECT_THAT(seen, AllOf(HasSubstr("/api/v1/proof?nonce="), ::testing::Not(HasSubstr("secret")),
                          ::testing::Not(HasSubstr("w1"))));
}

// A proof that was overheard is no good again.
TEST(Client, AsksForAnotherProofEachTime) {
  std::vector<std::string> asked;
  std::mutex mutex;
  Server impostor(
      [&](Peer& peer, int) {
        const std::lock_guard lock(mutex);
        asked.push_back(peer.receive_any());
        peer.answer("200 OK", "{}");
      },
      "");
  for (int i = 0; i < 2; ++i) EXPECT_THROW(Client(impostor.access()).get("/a"), NotTheDaemon);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_NE(asked[0], asked[1]);
}

TEST(DaemonProof, IsAKeyedHash) {
  const std::string nonce(64, 'a');
  // HMAC-SHA256 of "remixer daemon aaa..." under "secret", as Python's hmac makes it.
  EXPECT_EQ(daemon_proof("secret", nonce),
            "74fdebe63f9a2cd74008a244353bcc8ee1cd9b346a9b468fe5df45b79485bdb3");
  EXPECT_NE(daemon_proof("secret", nonce), daemon_proof("Secret", nonce));
  EXPECT_TRUE(is_nonce(new_nonce()));
  EXPECT_NE(new_nonce(), new_nonce());
  for (const std::string& text : {std::string(), std::string(63, 'a'), std::string(64, 'g')}) {
    EXPECT_FALSE(is_nonce(text)) << text;
  }
}

// Somebody listens, so a daemon is there; it is too busy to answer.
TEST(Client, TellsBusyFromAbsent) {
  Server closing([](Peer&, int) {});
  EXPECT_THROW(Client(closing.access()).get("/a"), Busy);
  Server silent([](Peer& peer, int) { peer.receive(), peer.receive(); });
  EXPECT_THROW(Client(silent.access(), 0.2).get("/a"), Busy);
  Server full(
      [](Peer& peer, int) {
        peer.receive();
        peer.answer("503 Service Unavailable", R"({"error": "later"})");
      },
      "");
  EXPECT_THROW(Client(full.access()).get("/a"), Busy);
  Access nobody;
  {
    Server gone([](Peer&, int) {});
    nobody = gone.access();
  }
  try {
    Client(nobody).get("/a");
    FAIL();
  } catch (const Busy&) {
    FAIL() << "nobody listens there";
  } catch (const Unreachable&) {
  }
}

// 127.0.0.1 of another host is somebody else's here.
TEST(Client, TakesNoLoopbackAddressOfAnotherHost) {
  EXPECT_THAT(error_of<Unreachable>([] {
                Client client({"127.0.0.1", 80, "secret", "", "another-host", 1});
              }),
              HasSubstr("another-host"));
}

TEST(Client, DoesNotSendItsTokenInClearOverANetwork) {
  EXPECT_THAT(input_error([] {
                Client client({"192.0.2.1", 80, "secret", "", "far", 1});
              }),
              HasSubstr("not loopback"));
  EXPECT_THROW(Client({"example", 80, "secret", "", "far", 1}), InputError);
}

}  // namespace
}  // namespace remixer::experiments::protocol
