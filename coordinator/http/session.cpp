#include "coordinator/http/session.h"

#include <boost/asio/dispatch.hpp>
#include <chrono>

namespace remixer::coordinator {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using experiments::protocol::Stream;

Session::Session(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
                 const ServerOptions& options, const HttpHandler& handler, std::atomic<int>& count)
    : stream_(beast::tcp_stream(std::move(socket)), tls),
      options_(options),
      handler_(handler),
      count_(count) {}

Session::~Session() {
  --count_;
}

void Session::start() {
  boost::asio::dispatch(stream_.get_executor(),
                        [self = shared_from_this()] { self->shake_hands(); });
}

// A client that does not speak TLS where it should, or is slow about it, is closed.
void Session::shake_hands() {
  expire_after(options_.request_seconds);
  stream_.async_handshake(Stream::Side::server,
                          [self = shared_from_this()](beast::error_code code) {
                            if (code) return self->close();
                            self->read_head();
                          });
}

void Session::expire_after(double seconds) {
  stream_.tcp().expires_after(std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)));
}

void Session::read_head() {
  parser_.emplace();
  parser_->header_limit(options_.header_limit);
  parser_->body_limit(options_.body_limit);
  // The long wait is for the first byte only: a client that begins must go on.
  if (buffer_.size() > 0) return read_rest_of_head();
  expire_after(options_.idle_seconds);
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](beast::error_code code, size_t bytes) {
                            if (code) return self->close();
                            self->buffer_.commit(bytes);
                            self->read_rest_of_head();
                          });
}

void Session::read_rest_of_head() {
  expire_after(options_.request_seconds);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code code, size_t) { self->on_head(code); });
}

void Session::on_head(beast::error_code code) {
  if (code) return refuse(code);
  const auto expect = parser_->get()[http::field::expect];
  if (beast::iequals(expect, "100-continue")) {
    return write(error_response(417, "send the body without waiting for 100-continue"), false);
  }
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code inner, size_t) { self->on_body(inner); });
}

void Session::on_body(beast::error_code code) {
  if (code) return refuse(code);
  write(answer(), parser_->get().keep_alive());
}

// What cannot be read is answered where there is somebody to answer.
void Session::refuse(beast::error_code code) {
  if (code == http::error::body_limit || code == http::error::header_limit) {
    return write(error_response(413, "the request is too large"), false);
  }
  if (code.category() == http::make_error_code(http::error::bad_method).category() &&
      code != http::error::end_of_stream && code != http::error::partial_message) {
    return write(error_response(400, "not a valid HTTP request: " + code.message()), false);
  }
  close();
}

HttpResponse Session::answer() const {
  const auto& message = parser_->get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.host = std::string(message[http::field::host]);
  request.origin = std::string(message[http::field::origin]);
  request.authorization = std::string(message[http::field::authorization]);
  request.body = message.body();
  if (!parse_target(std::string(message.target()), request)) {
    return error_response(400, "malformed request target");
  }
  try {
    return handler_(request);
  } catch (const std::exception& error) {
    return error_response(500, error.what());
  }
}

void Session::write(const HttpResponse& answer, bool keep_alive) {
  response_.emplace(static_cast<http::status>(answer.status), 11);
  response_->set(http::field::content_type, "application/json");
  response_->set(http::field::cache_control, "no-store");
  response_->set("X-Content-Type-Options", "nosniff");
  response_->keep_alive(keep_alive);
  // A title or a reason may hold bytes that are no UTF-8.
  response_->body() = answer.body.dump(-1, ' ', false, Json::error_handler_t::replace);
  response_->prepare_payload();
  expire_after(options_.request_seconds);
  http::async_write(stream_, *response_,
                    [self = shared_from_this(), keep_alive](beast::error_code code, size_t) {
                      if (code || !keep_alive) return self->close();
                      self->read_head();
                    });
}

void Session::close() {
  beast::error_code ignored;
  stream_.tcp().socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

}  // namespace remixer::coordinator
