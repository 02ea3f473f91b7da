// SPDX-License-Identifier: Apache-2.0
// The server and its guard, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <thread>

#include "coordinator/http/guard.h"
#include "coordinator/http/routes.h"
#include "coordinator/http/server.h"
#include "experiments/protocol/client.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using boost::asio::ip::tcp;
using experiments::protocol::Client;
using experiments::protocol::Refused;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(TargetTest, SplitsAndDecodes) {
  HttpRequest request;
  ASSERT_TRUE(parse_target("/api/v1/grids/my%20grid?state=done&kind=&x", request));
  EXPECT_EQ(request.path, "/api/v1/grids/my grid");
  EXPECT_EQ(request.query,
            (std::map<std::string, std::string>{{"state", "done"}, {"kind", ""}, {"x", ""}}));
  EXPECT_EQ(request.segments, (std::vector<std::string>{"api", "v1", "grids", "my grid"}));
  ASSERT_TRUE(parse_target("/grids/a%2Fb/", request));
  EXPECT_EQ(request.segments, (std::vector<std::string>{"grids", "a/b", ""}));
  EXPECT_FALSE(parse_target("/a%2", request));
  EXPECT_FALSE(parse_target("/a%zz", request));
  EXPECT_FALSE(parse_target("http://x/", request));
}

TEST(CookieTest, IsFoundAmongOthers) {
  EXPECT_EQ(cookie_value("a=1; remixer_80=secret; b=2", "remixer_80"), "secret");
  EXPECT_EQ(cookie_value("remixer_80=", "remixer_80"), "");
  EXPECT_EQ(cookie_value("xremixer_80=1;remixer_8=2", "remixer_80"), "");
}

class GuardTest : public ::testing::Test {
 protected:
  int status(const std::string& host, const std::string& authorization,
             const std::string& origin = "") const {
    HttpRequest request;
    request.host = host;
    request.authorization = authorization;
    request.origin = origin;
    const auto refusal = guard.refusal(request);
    return refusal ? refusal->status : 200;
  }
  Guard guard{{"127.0.0.1"}, 8123, "secret"};
};

TEST_F(GuardTest, WantsTheToken) {
  EXPECT_EQ(status("127.0.0.1:8123", "Bearer secret"), 200);
  EXPECT_EQ(status("127.0.0.1:8123", ""), 401);
  EXPECT_EQ(status("127.0.0.1:8123", "secret"), 401);
  EXPECT_EQ(status("127.0.0.1:8123", "Bearer secret2"), 401);
  EXPECT_EQ(status("127.0.0.1:8123", "Bearer secres"), 401);
}

TEST_F(GuardTest, WantsItsOwnHost) {
  EXPECT_EQ(status("localhost:8123", "Bearer secret"), 200);
  EXPECT_EQ(status("LOCALHOST:8123", "Bearer secret"), 200);
  EXPECT_EQ(status("[::1]:8123", "Bearer secret"), 200);
  for (const char* host :
       {"evil.example:8123", "127.0.0.1", "127.0.0.1:80", "", "127.0.0.1:8123.evil"}) {
    EXPECT_EQ(status(host, "Bearer secret"), 403) << host;
  }
}

TEST_F(GuardTest, KnowsEveryNameThatItIsFoundUnder) {
  guard = Guard({"10.1.2.3", "Login1.cluster", "fd00::2"}, 8123, "secret", true);
  for (const char* host : {"10.1.2.3:8123", "login1.CLUSTER:8123", "[fd00::2]:8123"}) {
    EXPECT_EQ(status(host, "Bearer secret"), 200) << host;
  }
  EXPECT_EQ(status("10.1.2.4:8123", "Bearer secret"), 403);
  EXPECT_EQ(status("10.1.2.3:8123", "Bearer secret", "https://login1.cluster:8123"), 200);
  EXPECT_EQ(status("10.1.2.3:8123", "Bearer secret", "http://login1.cluster:8123"), 403);
}

TEST_F(GuardTest, WantsItsOwnOrigin) {
  const std::string host = "127.0.0.1:8123";
  EXPECT_EQ(status(host, "Bearer secret", "http://127.0.0.1:8123"), 200);
  for (const char* origin :
       {"http://evil.example", "https://127.0.0.1:8123", "null", "http://localhost:80"}) {
    EXPECT_EQ(status(host, "Bearer secret", origin), 403) << origin;
  }
}

TEST_F(GuardTest, ALinkLetsOneBrowserInOnce) {
  const std::string link = guard.new_link();
  ASSERT_THAT(link, StartsWith("http://127.0.0.1:8123/open?key="));
  const std::string key = link.substr(link.find('=') + 1);
  const auto cookie = guard.cookie_for(key);
  ASSERT_TRUE(cookie);
  EXPECT_THAT(*cookie, AllOf(HasSubstr("HttpOnly"), HasSubstr("SameSite=Strict")));
  EXPECT_FALSE(guard.cookie_for(key)) << "used twice";
  EXPECT_FALSE(guard.cookie_for("guess"));
  EXPECT_THAT(*cookie, Not(HasSubstr("secret")));

  HttpRequest request;
  request.method = "GET";
  request.host = "127.0.0.1:8123";
  request.cookie = cookie->substr(0, cookie->find(';'));
  EXPECT_FALSE(guard.refusal(request));
  request.method = "POST";
  EXPECT_EQ(guard.refusal(request)->status, 403) << "an order from a page that is not ours";
  request.origin = "http://127.0.0.1:8123";
  EXPECT_FALSE(guard.refusal(request));
  request.cookie += "0";
  EXPECT_EQ(guard.refusal(request)->status, 401);
}

class StoppedClock : public Clock {
 public:
  double monotonic() const override { return time; }
  double wall() const override { return time; }
  double time = 1000;
};

TEST(BrowserLoginsTest, LinksAndCookiesGrowOld) {
  StoppedClock clock;
  BrowserLogins logins(clock);
  const std::string late = logins.new_key();
  clock.time += BrowserLogins::kLinkSeconds + 1;
  EXPECT_FALSE(logins.redeem(late));
  const auto cookie = logins.redeem(logins.new_key());
  ASSERT_TRUE(cookie);
  clock.time += BrowserLogins::kCookieSeconds - 1;
  EXPECT_TRUE(logins.knows(*cookie)) << "and is good for another while";
  clock.time += BrowserLogins::kCookieSeconds - 1;
  EXPECT_TRUE(logins.knows(*cookie));
  clock.time += BrowserLogins::kCookieSeconds + 1;
  EXPECT_FALSE(logins.knows(*cookie));
}

TEST(BrowserLoginsTest, OpenLinksAreBounded) {
  BrowserLogins logins;
  const std::string first = logins.new_key();
  std::string last;
  for (int i = 0; i < 40; ++i) last = logins.new_key();
  EXPECT_FALSE(logins.redeem(first));
  EXPECT_TRUE(logins.redeem(last));
}

// A server with small limits that answers what it was sent.
class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerOptions options;
    options.body_limit = 1000;
    options.header_limit = 2000;
    options.request_seconds = 0.3;
    options.idle_seconds = 1;
    options.connections = 4;
    server = std::make_unique<Server>(options);
    server->start([](const HttpRequest& request) {
      if (request.path == "/throw") throw Error("broken");
      return HttpResponse{200, {{"path", request.path}, {"body", request.body.size()}}};
    });
  }
  tcp::socket connect() {
    tcp::socket socket(context);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server->port()});
    return socket;
  }
  // Everything until the server closes.
  std::string talk(tcp::socket& socket, const std::string& text) {
    boost::system::error_code code;
    boost::asio::write(socket, boost::asio::buffer(text), code);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), code);
    return answer;
  }
  std::string talk(const std::string& text) {
    tcp::socket socket = connect();
    return talk(socket, text);
  }

  boost::asio::io_context context;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, AnswersSeveralRequestsOnOneConnection) {
  const std::string answer = talk(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nxyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr(R"({"body":0,"path":"/a"})"));
  EXPECT_THAT(answer, HasSubstr(R"({"body":3,"path":"/b"})"));
}

TEST_F(ServerTest, RefusesWhatIsTooLarge) {
  EXPECT_THAT(talk("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(talk("GET / HTTP/1.1\r\nX: " + std::string(4000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(talk("POST / HTTP/1.1\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n" +
                   std::string(1000, 'x')),
              HasSubstr("\"body\":1000"));
}

TEST_F(ServerTest, RefusesWhatIsNoHttp) {
  EXPECT_THAT(talk("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(talk("GET /%zz HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(ServerTest, CutsSlowClientsOff) {
  tcp::socket socket = connect();
  boost::asio::write(socket, boost::asio::buffer(std::string("GET / HT")));
  std::string answer;
  boost::system::error_code code;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), code);
  EXPECT_EQ(code, boost::asio::error::eof);
  EXPECT_EQ(answer, "");
}

TEST_F(ServerTest, HandlersErrorIsAnsweredInOneLine) {
  EXPECT_THAT(talk("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n"),
              HasSubstr(R"({"error":"broken"})"));
}

TEST_F(ServerTest, StopsWhileClientsAreConnected) {
  tcp::socket socket = connect();
  server->stop();
  server.reset();
}

TEST(ListenTest, RefusesPortsInUseAndAddressesOfOthers) {
  Server first(ServerOptions{});
  const auto message = [](const std::string& address, uint16_t port) -> std::string {
    try {
      Server server(ServerOptions{address, port});
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("127.0.0.1", first.port()), HasSubstr("is in use"));
  EXPECT_THAT(message("0.0.0.0", 0), HasSubstr("TLS"));
  EXPECT_THAT(message("here", 0), HasSubstr("not an IP address"));
}

// The real routes on a real engine, asked by the real client.
class RoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Settings settings;
    settings.workspace = folder.path.string();
    engine = std::make_unique<Engine>(
        Engine::Options{folder.path, folder.path / "remixer.db", settings});
    server = std::make_unique<Server>(ServerOptions{});
    RouteOptions options;
    options.engine = engine.get();
    options.shutdown = [this](bool) { ++shutdowns; };
    options.slurm = [] { return experiments::protocol::answers::Slurm(); };
    options.slurm_up = [this](const SlurmUp& order) { taken_up = order; };
    options.slurm_resume = [] {};
    options.slurm_down = [](bool let_run) {
      if (!let_run) throw Error("squeue: no answer");
    };
    options.about = [] {
      experiments::protocol::answers::Ping about;
      about.version = "1";
      return about;
    };
    options.status = [] {
      experiments::protocol::answers::Status status;
      status.revision = 1;
      return status;
    };
    options.counts = [this] { return server->counts(); };
    options.workspace = folder.path;
    options.database = folder.path / "remixer.db";
    server->start(make_routes(Guard({"127.0.0.1"}, server->port(), "secret"), options));
    client = std::make_unique<Client>(access("secret"));
  }
  void TearDown() override { server->stop(); }
  experiments::protocol::Access access(const std::string& token) const {
    return {"127.0.0.1", server->port(), token, "", "", 0};
  }
  int refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const Refused& error) {
      message = error.what();
      return error.status;
    }
    return 200;
  }

  TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Server> server;
  std::unique_ptr<Client> client;
  std::string message;
  std::atomic<int> shutdowns{0};
  SlurmUp taken_up;
};

TEST_F(RoutesTest, AGridsLife) {
  const auto grid = make_grid("my grid", {1});
  const Json submitted = client->post("/grids", protocol::to_json(grid));
  EXPECT_EQ(submitted["tasks_queued"], 4);
  const std::string worker =
      client->post("/workers", protocol::to_json(make_worker(1)))["worker_id"];
  for (int i = 0; i < 4; ++i) {
    const auto reply = protocol::from_json<protocol::ClaimReply>(
        client->post("/claim", protocol::to_json(protocol::Claim{worker})));
    ASSERT_TRUE(reply.assignment);
    auto beat = heartbeat_of(*reply.assignment, 1);
    beat.worker_id = worker;
    EXPECT_EQ(client->post("/heartbeat", protocol::to_json(beat))["order"], "continue");
    auto result = result_of(*reply.assignment);
    result.worker_id = worker;
    EXPECT_EQ(client->post("/result", protocol::to_json(result))["accepted"], true);
  }
  EXPECT_EQ(client->get("/grids/my%20grid")["state"], "done");
  EXPECT_EQ(client->get("/grids/1")["cell_list"][0]["state"], "done");
  EXPECT_EQ(client->get("/grids")["grids"].size(), 1u);
  EXPECT_EQ(client->get("/tasks?state=done&kind=evaluate")["tasks"].size(), 2u);
  EXPECT_EQ(client->get("/tasks?grid=1&state=failed")["tasks"].size(), 0u);
  const std::string id = grid.tasks[1].id();
  EXPECT_EQ(client->get("/tasks/" + id.substr(0, 12))["attempts"].size(), 1u);
  EXPECT_EQ(client->get("/workers")["workers"].size(), 1u);
  EXPECT_EQ(client->get("/ping")["version"], "1");
  EXPECT_EQ(client->get("/status")["revision"], 1);
}

// No question makes the scheduler wait for thousands of tasks to be written out.
TEST_F(RoutesTest, ListingsComeInPages) {
  const auto grid = make_grid("g", {1, 2, 3, 4, 5});
  client->post("/grids", protocol::to_json(grid));
  std::vector<std::string> wanted;
  for (const auto& task : grid.tasks) wanted.push_back(task.id());
  const auto pages = [&](const std::string& path, const char* list, const char* id) {
    std::vector<std::string> all;
    std::string after = "0";
    for (size_t size = 1; size > 0;) {
      const Json page = client->get(path + "limit=3&after=" + after);
      size = page[list].size();
      EXPECT_LE(size, 3u);
      for (const Json& each : page[list]) all.push_back(each[id]);
      if (page["next"].is_null()) break;
      after = page["next"].dump();
    }
    return all;
  };
  EXPECT_EQ(pages("/tasks?", "tasks", "task_id"), wanted);
  EXPECT_EQ(pages("/tasks?grid=g&", "tasks", "task_id"), wanted);
  EXPECT_EQ(pages("/tasks?grid=g&kind=train&", "tasks", "task_id").size(), 5u);
  EXPECT_EQ(pages("/tasks?kind=evaluate&", "tasks", "task_id").size(), 10u);
  EXPECT_EQ(pages("/grids/g?", "cell_list", "cell_id").size(), 5u);
  EXPECT_EQ(client->get("/tasks?like=ON%20MIXED")["tasks"].size(), 5u);
  EXPECT_EQ(client->get("/tasks?like=" + wanted[3].substr(0, 20))["tasks"].size(), 1u);
  EXPECT_EQ(client->get("/tasks?like=none")["tasks"].size(), 0u);
  EXPECT_EQ(client->get("/tasks?after=99999")["tasks"].size(), 0u);
  for (const char* wrong : {"limit=0", "limit=1001", "after=-1", "after=x"}) {
    EXPECT_EQ(refusal([&] { client->get(std::string("/tasks?") + wrong); }), 400) << wrong;
  }
}

TEST_F(RoutesTest, CancelRetryAndShutdown) {
  const auto grid = make_grid("g", {1});
  client->post("/grids", protocol::to_json(grid));
  const std::string id = grid.tasks[1].id();
  EXPECT_EQ(client->post("/tasks/" + id + "/cancel", Json::object())["tasks"], 1);
  EXPECT_EQ(client->get("/tasks/" + id)["state"], "cancelled");
  EXPECT_GE(client->post("/tasks/" + id + "/retry", Json::object())["tasks"].get<int>(), 1);
  EXPECT_EQ(client->post("/grids/g/cancel", Json::object())["tasks"], 4);
  EXPECT_EQ(client->get("/grids/g")["state"], "cancelled");
  EXPECT_EQ(client->post("/grids/1/retry", Json::object())["tasks"], 4);
  client->post("/shutdown", Json::object());
  EXPECT_EQ(shutdowns, 1);
}

TEST_F(RoutesTest, SlurmIsTakenUpAndDown) {
  EXPECT_EQ(client->get("/slurm")["wanted"], false);
  EXPECT_EQ(client->post("/slurm/up", {{"site", 1}})["wanted"], false);
  EXPECT_EQ(taken_up.site, 1);
  EXPECT_TRUE(taken_up.try_first);
  EXPECT_FALSE(taken_up.reachable);
  EXPECT_EQ(refusal([&] { client->post("/slurm/up", Json::object()); }), 400);
  EXPECT_NO_THROW(client->post("/slurm/down", {{"let_run", true}}));
  EXPECT_EQ(refusal([&] { client->post("/slurm/down", Json::object()); }), 502);
  EXPECT_EQ(message, "squeue: no answer");
  EXPECT_EQ(refusal([&] { client->post("/slurm/down", {{"let_run", Json::object()}}); }), 400);
  EXPECT_EQ(refusal([&] { client->post("/slurm/down", Json::array()); }), 400);
  EXPECT_EQ(refusal([&] { client->get("/slurm/up"); }), 405);
  EXPECT_EQ(refusal([&] { client->post("/slurm/sideways", Json::object()); }), 404);
}

// `{"dryrun": true}` would have deleted.
TEST_F(RoutesTest, OrdersRefuseWhatTheyDoNotKnow) {
  client->post("/grids", protocol::to_json(make_grid("g", {1})));
  for (const Json& body : {Json{{"dryrun", true}}, Json::array({nullptr}), Json{{"dry_run", 1}},
                           Json{{"quota_bytes", -1}}, Json{{"quota_bytes", "1GB"}}}) {
    EXPECT_EQ(refusal([&] { client->post("/gc", body); }), 400) << body;
  }
  EXPECT_NO_THROW(client->post("/gc", {{"dry_run", true}, {"quota_bytes", nullptr}}));
  for (const char* order : {"cancel", "retry", "remove", "resume", "pause"}) {
    EXPECT_EQ(refusal([&] {
                client->post(std::string("/grids/1/") + order, {{"nov", true}});
              }),
              400)
        << order;
    EXPECT_THAT(message, HasSubstr("nov"));
  }
  EXPECT_EQ(refusal([&] { client->post("/slurm/up", {{"site", 1}, {"tryfirst", true}}); }), 400);
  EXPECT_EQ(refusal([&] { client->post("/slurm/down", {{"letrun", true}}); }), 400);
  EXPECT_EQ(refusal([&] { client->post("/shutdown", {{"keep", true}}); }), 400);
  EXPECT_EQ(client->get("/grids/1")["state"], "running") << "nothing was done";
}

TEST_F(RoutesTest, ErrorsHaveTheirStatusAndOneLine) {
  Client stranger(access("guess"));
  EXPECT_THROW(stranger.get("/status"), experiments::protocol::NotTheDaemon)
      << "each side must know the other's token";
  EXPECT_EQ(refusal([&] { client->get("/tasks/0123456789"); }), 404);
  EXPECT_EQ(refusal([&] { client->get("/grids/9"); }), 404);
  EXPECT_EQ(refusal([&] { client->get("/nothing"); }), 404);
  EXPECT_EQ(refusal([&] { client->get("/claim"); }), 405);
  EXPECT_THAT(message, HasSubstr("POST"));
  EXPECT_EQ(refusal([&] { client->post("/status", Json::object()); }), 405);
  EXPECT_EQ(refusal([&] { client->post("/claim", Json::object()); }), 400);
  EXPECT_THAT(message, HasSubstr("worker_id"));
  EXPECT_EQ(refusal([&] { client->post("/claim", {{"worker_id", "w9"}}); }), 404);
  EXPECT_EQ(refusal([&] { client->get("/tasks?state=happy"); }), 400);
  EXPECT_EQ(message.find('\n'), std::string::npos);

  const auto grid = make_grid("g", {1});
  client->post("/grids", protocol::to_json(grid));
  const auto assignment =
      *engine->claim({engine->register_worker(make_worker(1)).worker_id}).assignment;
  engine->result(result_of(assignment));
  EXPECT_EQ(
      refusal([&] { client->post("/tasks/" + assignment.task_id + "/cancel", Json::object()); }),
      409);
}

}  // namespace
}  // namespace remixer::coordinator
