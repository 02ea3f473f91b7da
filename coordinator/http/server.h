// An HTTP/1.1 server: in clear text on a loopback address, under TLS where a certificate is given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/http/certificate.h"
#include "coordinator/http/message.h"

namespace remixer::coordinator {

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric
  uint16_t port = 0;                  // 0: any free one
  int threads = 6;  // handlers run in them, so as many requests are worked on at once
  uint64_t body_limit = 64ull << 20;
  uint32_t header_limit = 16u << 10;
  double request_seconds = 30;  // for a client to send its request, or to take the answer
  double idle_seconds = 90;     // for a kept connection to begin the next request
  int connections = 512;        // more are closed at once
  std::optional<Certificate> certificate = std::nullopt;  // with one, TLS 1.2 or newer
};

// Answers a request; called from several threads at once. What it throws becomes status 500.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

class Server {
 public:
  // Binds and listens, so that port() is known. Throws InputError where the port is in use, the
  // address cannot be listened on, or others could reach it and there is no certificate.
  explicit Server(ServerOptions options);
  // Ends as stop() does.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  const std::string& address() const;  // numeric
  // Begins to answer, in threads of its own. Call once.
  void start(HttpHandler handler);
  // Closes all connections and joins the threads. May be called twice; not from a handler.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
