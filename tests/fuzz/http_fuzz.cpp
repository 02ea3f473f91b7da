// SPDX-License-Identifier: Apache-2.0
// What a client may send: any bytes over a real socket to the real routes. The first byte chooses
// between bytes as they are and a request that is well formed but for its path and body.
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>

#include "coordinator/http/routes.h"

namespace remixer::coordinator {
namespace {

using boost::asio::ip::tcp;

constexpr int kInputsOfOneLife = 500;  // then a new daemon: what it was told has grown

struct Daemon {
  Daemon() : engine({"/nonexistent", ":memory:", {}, &system_clock()}) {
    ServerOptions options;
    options.threads = 2;
    options.request_seconds = 1;
    options.refusals_per_second = 1e9;
    server = std::make_unique<Server>(options);
    RouteOptions routes;
    routes.engine = &engine;
    routes.shutdown = [](bool) {};
    routes.about = [] {
      experiments::protocol::answers::Ping about;
      about.version = "fuzzed";
      return about;
    };
    routes.status = [this] { return engine.query(status_view); };
    routes.slurm = [] { return experiments::protocol::answers::Slurm(); };
    routes.slurm_up = [](const SlurmUp&) {};
    routes.slurm_resume = [] {};
    routes.slurm_down = [](bool) {};
    routes.counts = [this] { return server->counts(); };
    routes.workspace = "/nonexistent";
    routes.database = "/nonexistent/remixer.db";
    server->start(make_routes(Guard({"127.0.0.1"}, server->port(), "secret"), routes));
  }
  ~Daemon() { server->stop(); }

  Engine engine;
  std::unique_ptr<Server> server;
};

// "POST /claim\n{...}" with all that a known client sends.
std::string well_formed(const std::string& text, uint16_t port) {
  const size_t line = std::min(text.find('\n'), text.size());
  const std::string body = text.substr(std::min(line + 1, text.size()));
  return text.substr(0, line) + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
         "\r\nAuthorization: Bearer secret\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void talk(uint16_t port, const std::string& text) {
  boost::asio::io_context context;
  tcp::socket socket(context);
  boost::system::error_code code;
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), port}, code);
  if (code) return;
  boost::asio::write(socket, boost::asio::buffer(text), code);
  socket.shutdown(tcp::socket::shutdown_send, code);
  // An event stream would not end, so a piece is enough.
  std::string answer(4096, '\0');
  socket.read_some(boost::asio::buffer(answer), code);
  // No time in TIME_WAIT: thousands of these come a second.
  socket.set_option(boost::asio::socket_base::linger(true, 0), code);
}

}  // namespace
}  // namespace remixer::coordinator

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace remixer::coordinator;
  static std::unique_ptr<Daemon> daemon;
  static int inputs = 0;
  if (size == 0) return 0;
  if (!daemon || ++inputs % kInputsOfOneLife == 0) {
    daemon.reset();
    daemon = std::make_unique<Daemon>();
  }
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const uint16_t port = daemon->server->port();
  talk(port, bytes[0] % 2 == 0 ? text : well_formed(text, port));
  return 0;
}
