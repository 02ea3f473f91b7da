// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/connection.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "base/clock.h"

namespace remixer::coordinator {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using experiments::protocol::Stream;

namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

template <typename Message>
void set_common_fields(Message& message, const HttpResponse& answer) {
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers) message.set(name, value);
}

}  // namespace

Session::Session(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
                 ServerShared& shared, bool once)
    : stream_(beast::tcp_stream(std::move(socket)), tls),
      shared_(shared),
      once_(once),
      pause_(stream_.get_executor()),
      rate_(shared.options.requests_per_second, shared.options.requests_per_second) {}

Session::~Session() {
  if (events_) --shared_.streams;
  --shared_.connections;
}

void Session::start() {
  boost::asio::dispatch(stream_.get_executor(),
                        [self = shared_from_this()] { self->shake_hands(); });
}

// Closes the connection if the client does not speak TLS when required, or is too slow.
void Session::shake_hands() {
  expire_after(shared_.options.request_seconds);
  stream_.async_handshake(Stream::Side::server,
                          [self = shared_from_this()](beast::error_code code) {
                            if (code) return self->close();
                            self->read_head();
                          });
}

void Session::evict() {
  boost::asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    self->pause_.cancel();
    self->stream_.tcp().close();
  });
}

void Session::expire_after(double seconds) {
  stream_.tcp().expires_after(milliseconds(seconds));
}

void Session::read_head() {
  parser_.emplace();
  parser_->header_limit(shared_.options.header_limit);
  parser_->body_limit(shared_.options.body_limit);
  // Only authenticated clients get the long timeout, and only for the first byte: a started request
  // must continue.
  if (buffer_.size() > 0) return read_rest_of_head();
  const ServerOptions& options = shared_.options;
  expire_after(trusted_ ? options.idle_seconds
                        : std::min(options.idle_seconds, options.request_seconds));
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](beast::error_code code, size_t bytes) {
                            if (code) return self->close();
                            self->buffer_.commit(bytes);
                            self->read_rest_of_head();
                          });
}

void Session::read_rest_of_head() {
  expire_after(shared_.options.request_seconds);
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
  // Read a body only from clients that may send one.
  if (!parser_->is_done() && shared_.gate) {
    const auto head = request();
    if (!head) return write(error_response(400, "malformed request target"), false);
    if (auto refused = shared_.gate(*head)) {
      ++shared_.requests;
      return write(judged(std::move(*refused)), false);
    }
  }
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code inner, size_t) { self->on_body(inner); });
}

void Session::on_body(beast::error_code code) {
  if (code) return refuse(code);
  ++shared_.requests;
  respond(judged(answer()));
}

// Answers an unreadable request if the client can still be answered.
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

std::optional<HttpRequest> Session::request() const {
  const auto& message = parser_->get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.host = std::string(message[http::field::host]);
  request.origin = std::string(message[http::field::origin]);
  request.authorization = std::string(message[http::field::authorization]);
  request.cookie = std::string(message[http::field::cookie]);
  if (!parse_target(std::string(message.target()), request)) return std::nullopt;
  return request;
}

HttpResponse Session::answer() const {
  auto whole = request();
  if (!whole) return error_response(400, "malformed request target");
  whole->body = parser_->get().body();
  try {
    return shared_.handler(*whole);
  } catch (const std::exception& error) {
    return error_response(500, error.what());
  }
}

HttpResponse Session::judged(HttpResponse answer) {
  if (answer.status != 401 && answer.status != 403) {
    if (answer.status < 400 && answer.let_in) trusted_ = true;
    return answer;
  }
  ++shared_.refused;
  const std::lock_guard lock(shared_.mutex);
  if (shared_.refusals.take(system_clock().monotonic())) return answer;
  HttpResponse busy = error_response(429, "too many requests without the token; try again later");
  busy.headers.emplace_back("Retry-After", "1");
  return busy;
}

void Session::respond(HttpResponse answer) {
  if (!answer.stream) {
    // Such a connection gets one answer to a question; the proof before it does not count.
    const bool last = once_ && (answer.let_in || proven_);
    proven_ = true;
    return write(answer, parser_->get().keep_alive() && answer.status != 429 && !last);
  }
  if (++shared_.streams > shared_.options.streams) {
    --shared_.streams;
    return write(error_response(503, "too many event streams are open; close a page"), false);
  }
  begin_stream(std::move(answer.stream));
}

void Session::write(const HttpResponse& answer, bool keep_alive) {
  response_.emplace(static_cast<http::status>(answer.status), 11);
  set_common_fields(*response_, answer);
  response_->keep_alive(keep_alive);
  if (answer.content_type.empty()) {
    response_->set(http::field::content_type, "application/json");
    // A title or a reason may contain invalid UTF-8.
    response_->body() = answer.body.dump(-1, ' ', false, Json::error_handler_t::replace);
  } else {
    response_->set(http::field::content_type, answer.content_type);
    response_->body() = answer.text;
  }
  response_->prepare_payload();
  expire_after(shared_.options.request_seconds);
  http::async_write(stream_, *response_,
                    [self = shared_from_this(), keep_alive](beast::error_code code, size_t) {
                      if (code || !keep_alive) return self->close();
                      self->read_next();
                    });
}

// Reads at once, or later if the connection exceeds its rate limit.
void Session::read_next() {
  const double wait = rate_.take_on_credit(system_clock().monotonic());
  if (wait <= 0) return read_head();
  stream_.tcp().expires_never();
  pause_.expires_after(milliseconds(wait));
  pause_.async_wait([self = shared_from_this()](beast::error_code code) {
    if (!code) self->read_head();
  });
}

// The body lasts until the connection closes, so it needs no length.
void Session::begin_stream(std::shared_ptr<EventStream> stream) {
  events_ = std::move(stream);
  send_events(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
}

// Sends `text` and new events, then waits, so that frequent changes are sent at intervals.
void Session::send_events(std::string text) {
  try {
    text += events_->next();
  } catch (const std::exception&) {
    return close();
  }
  if (text.empty() && silent_ >= shared_.options.silence_seconds) text = ": still here\n\n";
  if (text.empty()) return wait_for_events();
  chunk_ = std::move(text);
  silent_ = 0;
  // A client that reads nothing for this long is gone or stuck.
  expire_after(shared_.options.request_seconds);
  boost::asio::async_write(stream_, boost::asio::buffer(chunk_),
                           [self = shared_from_this()](beast::error_code code, size_t) {
                             if (code) return self->close();
                             self->wait_for_events();
                           });
}

void Session::wait_for_events() {
  stream_.tcp().expires_never();
  silent_ += shared_.options.stream_seconds;
  pause_.expires_after(milliseconds(shared_.options.stream_seconds));
  pause_.async_wait([self = shared_from_this()](beast::error_code code) {
    if (!code) self->send_events("");
  });
}

void Session::close() {
  beast::error_code ignored;
  stream_.tcp().socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

}  // namespace remixer::coordinator
