// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server: in clear text on a loopback address, under TLS where a certificate is given.
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
  int threads = 6;  // handlers run in them, so as many requests are worked on at once
  uint64_t body_limit = experiments::protocol::kLargestRequest;
  uint32_t header_limit = 16u << 10;
  double request_seconds = 30;  // for a client to send its request, or to take the answer
  double idle_seconds = 90;     // for a kept connection to begin the next request
  // More connections make room by closing the oldest one that has not yet been let in (its client
  // showed no token); where all have been, the new one is served once and closed, up to `reserve`
  // of them, so that commands get through; beyond, it is closed.
  int connections = 512;
  int reserve = 32;
  int streams = 64;             // event streams at once; more are refused (503)
  double stream_seconds = 0.5;  // between two looks for something new
  double silence_seconds = 15;  // after which a stream says that it is still there
  // Requests of one connection beyond this rate are answered later, never refused.
  double requests_per_second = 5000;
  // Refusals for want of a token, of all connections together, that are answered with the reason;
  // beyond, the answer is 429 and the connection ends.
  double refusals_per_second = 20;
  std::optional<Certificate> certificate = std::nullopt;  // with one, TLS 1.2 or newer
};

// As many connections as files may be open, less those that the daemon needs itself: its database,
// logs, children, and the reserve for commands.
int connections_for(uint64_t open_files);

// Answers a request; called from several threads at once. What it throws becomes status 500. An
// answer of 401 or 403 says that the client was not let in.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// The refusal of a request by its head; nothing where the body may be read.
using HttpGate = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

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
  // Begins to answer, in threads of its own. Call once. `gate` looks at a request's head alone (its
  // body is empty): where it refuses, no byte of the body is read, so that those who were not let
  // in can make the server hold no more than their heads.
  void start(HttpHandler handler, HttpGate gate = {});
  // Closes all connections and joins the threads. May be called twice; not from a handler.
  void stop();
  ServerCounts counts() const;  // thread-safe

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
