// SPDX-License-Identifier: Apache-2.0
// One client connection of the server.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "coordinator/http/server.h"
#include "coordinator/http/token_bucket.h"
#include "experiments/protocol/stream.h"

namespace remixer::coordinator {

// Shared by all connections of a server.
struct ServerShared {
  explicit ServerShared(ServerOptions given)
      : options(std::move(given)),
        refusals(options.refusals_per_second, 5 * options.refusals_per_second) {}
  const ServerOptions options;
  HttpHandler handler;
  HttpGate gate;
  std::atomic<int> connections{0}, streams{0};
  std::atomic<uint64_t> requests{0}, refused{0};
  std::mutex mutex;  // guards `refusals`
  TokenBucket refusals;
};

// Reads requests and writes answers until the client leaves or breaks a limit. Each pending
// operation keeps it alive; everything runs on the stream's strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // `tls` (null: clear text) and `shared` outlive the session; it decrements the connection count
  // when it ends.
  // `once`: the connection closes after the first answer.
  Session(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls, ServerShared& shared,
          bool once = false);
  ~Session();
  void start();
  // True if the client has authenticated. Thread-safe.
  bool trusted() const { return trusted_; }
  // Closes the connection soon. Thread-safe.
  void evict();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  void shake_hands();
  void read_head();
  void read_rest_of_head();
  void on_head(boost::beast::error_code code);
  void on_body(boost::beast::error_code code);
  void refuse(boost::beast::error_code code);
  // The request as parsed so far; nothing if its target is malformed.
  std::optional<HttpRequest> request() const;
  HttpResponse answer() const;
  // Records whether the client was let in; after too many refusals replaces the answer.
  HttpResponse judged(HttpResponse answer);
  void respond(HttpResponse answer);
  void write(const HttpResponse& response, bool keep_alive);
  void read_next();
  void begin_stream(std::shared_ptr<EventStream> stream);
  void send_events(std::string text);
  void wait_for_events();
  void close();
  void expire_after(double seconds);

  experiments::protocol::Stream stream_;
  ServerShared& shared_;
  std::atomic<bool> trusted_{false};
  const bool once_;
  bool proven_ = false;  // an answer was given
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<Response> response_;
  boost::asio::steady_timer pause_;
  TokenBucket rate_;
  std::shared_ptr<EventStream> events_;
  std::string chunk_;  // part of the stream, being written
  double silent_ = 0;  // seconds since the stream's last chunk
};

}  // namespace remixer::coordinator
