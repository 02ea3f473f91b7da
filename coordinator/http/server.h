// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server: clear text on a loopback address, TLS if a certificate is given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/http/certificate.h"
#include "coordinator/http/message.h"
#include "coordinator/views/server_counts.h"
#include "experiments/protocol/client.h"

namespace remixer::coordinator {

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric
  uint16_t port = 0;                  // 0: any free one
  int threads = 6;                    // run the handlers, so this many requests are handled at once
  uint64_t body_limit = experiments::protocol::kLargestRequest;
  uint32_t header_limit = 16u << 10;
  double request_seconds = 30;  // for a client to send its request, or to read the answer
  double idle_seconds = 90;     // for a kept-alive connection to begin the next request
  // Beyond this number, a new connection replaces the oldest one that has not yet authenticated
  // (its client showed no token). If all have, up to `reserve` new ones are each served once and
  // closed, so that commands get through; any more are closed.
  int connections = 512;
  int reserve = 32;
  int streams = 64;             // maximum of event streams; more are refused (503)
  double stream_seconds = 0.5;  // interval of checks for new events
  double silence_seconds = 15;  // after this much silence a stream sends a keep-alive
  // Requests of one connection beyond this rate are answered later, never refused.
  double requests_per_second = 5000;
  // Refusals for a missing token, over all connections, that are answered with the reason; beyond,
  // the answer is 429 and the connection closes.
  double refusals_per_second = 20;
  std::optional<Certificate> certificate = std::nullopt;  // if given, TLS 1.2 or newer
};

// Maximum number of connections: the limit of open files less those that the daemon needs for its
// database, logs, children, and the reserve for commands.
int connections_for(uint64_t open_files);

// Answers a request; called from several threads at once. An exception becomes status 500. A status
// of 401 or 403 means that the client was not let in.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// Refuses a request by its head; nothing if the body may be read.
using HttpGate = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

class Server {
 public:
  // Binds and listens, so that port() is known. Throws InputError if the port is in use, the
  // address cannot be used, or others could reach it and there is no certificate.
  explicit Server(ServerOptions options);
  // Stops as stop() does.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  const std::string& address() const;  // numeric
  // Starts answering on its own threads. Call once. `gate` checks a request's head only (its body
  // is empty): if it refuses, no byte of the body is read, so that unauthenticated clients cannot
  // make the server hold more than their heads.
  void start(HttpHandler handler, HttpGate gate = {});
  // Closes all connections and joins the threads. May be called twice; not from a handler.
  void stop();
  ServerCounts counts() const;  // thread-safe

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
