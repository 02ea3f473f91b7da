// One client's connection.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>

#include "coordinator/http/server.h"
#include "experiments/protocol/stream.h"

namespace remixer::coordinator {

// Reads requests and writes answers until the client goes or breaks a limit. Keeps itself alive by
// the operation that it waits for; all of it runs on the stream's strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // `tls` (null: clear text), `options`, `handler` and `count` outlive the session; `count` is one
  // less when it has ended.
  Session(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
          const ServerOptions& options, const HttpHandler& handler, std::atomic<int>& count);
  ~Session();
  void start();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  void shake_hands();
  void read_head();
  void read_rest_of_head();
  void on_head(boost::beast::error_code code);
  void on_body(boost::beast::error_code code);
  void refuse(boost::beast::error_code code);
  HttpResponse answer() const;
  void write(const HttpResponse& response, bool keep_alive);
  void close();
  void expire_after(double seconds);

  experiments::protocol::Stream stream_;
  const ServerOptions& options_;
  const HttpHandler& handler_;
  std::atomic<int>& count_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<Response> response_;
};

}  // namespace remixer::coordinator
