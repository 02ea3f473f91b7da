// SPDX-License-Identifier: Apache-2.0
#include "coordinator/daemon/webhook.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>

#include "base/error.h"

namespace remixer::coordinator {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
namespace ssl = net::ssl;
using beast::error_code;
using net::ip::tcp;

constexpr uint64_t kLargestAnswer = 1 << 20;

// One HTTP exchange; the timeout applies to every step.
class Exchange {
 public:
  Exchange(const WebAddress& address, double seconds)
      : address_(address),
        timeout_(std::chrono::duration_cast<net::steady_timer::duration>(
            std::chrono::duration<double>(seconds))),
        seconds_(seconds) {}

  void post(const std::string& body) {
    const auto found = resolve();
    if (!address_.secure) {
      beast::tcp_stream stream(io_);
      stream.expires_after(timeout_);
      require(wait([&](auto done) { stream.async_connect(found, done); }), "connect");
      talk(stream, body);
      return;
    }
    ssl::context context(ssl::context::tls_client);
    context.set_default_verify_paths();
    context.set_verify_mode(ssl::verify_peer);
    beast::ssl_stream<beast::tcp_stream> stream(io_, context);
    stream.set_verify_callback(ssl::host_name_verification(address_.host));
    SSL_set_tlsext_host_name(stream.native_handle(), address_.host.c_str());
    beast::get_lowest_layer(stream).expires_after(timeout_);
    require(wait([&](auto done) { beast::get_lowest_layer(stream).async_connect(found, done); }),
            "connect");
    require(wait([&](auto done) { stream.async_handshake(ssl::stream_base::client, done); }),
            "greet");
    talk(stream, body);
  }

 private:
  template <typename Start>
  error_code wait(Start start) {
    error_code result;
    start([&](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  void require(const error_code& error, const char* what) const {
    if (!error) return;
    if (error == beast::error::timeout) {
      fail("{} did not answer within {:g} s", address_.host, seconds_);
    }
    fail("cannot {} {}: {}", what, address_.host, error.message());
  }

  // Resolving a name must not block beyond the timeout either.
  tcp::resolver::results_type resolve() {
    tcp::resolver resolver(io_);
    net::steady_timer timer(io_, timeout_);
    tcp::resolver::results_type found;
    error_code result = beast::error::timeout;
    timer.async_wait([&](error_code cancelled) {
      if (!cancelled) resolver.cancel();
    });
    resolver.async_resolve(address_.host, address_.port, [&](error_code error, auto results) {
      result = error;
      found = results;
      timer.cancel();
    });
    io_.restart();
    io_.run();
    require(result, "find");
    return found;
  }

  template <typename Stream>
  void talk(Stream& stream, const std::string& body) {
    http::request<http::string_body> request(http::verb::post, address_.target, 11);
    request.set(http::field::host, address_.host);
    request.set(http::field::user_agent, "remixer");
    request.set(http::field::content_type, "application/json");
    request.keep_alive(false);
    request.body() = body;
    request.prepare_payload();
    require(wait([&](auto done) { http::async_write(stream, request, done); }), "write to");
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kLargestAnswer);
    require(wait([&](auto done) { http::async_read(stream, buffer, parser, done); }), "hear");
    const unsigned status = parser.get().result_int();
    if (status < 200 || status > 299) fail("{} answered {}", address_.host, status);
  }

  const WebAddress& address_;
  net::steady_timer::duration timeout_;
  double seconds_;
  net::io_context io_;
};

}  // namespace

WebAddress parse_web_address(const std::string& url) {
  WebAddress address;
  std::string rest;
  if (url.starts_with("https://")) {
    address.secure = true;
    rest = url.substr(8);
  } else if (url.starts_with("http://")) {
    rest = url.substr(7);
  } else {
    fail_input("'{}' is no address of the form http[s]://host[:port]/path", url);
  }
  const size_t slash = rest.find('/');
  const std::string authority = rest.substr(0, slash);
  address.target = slash == std::string::npos ? "/" : rest.substr(slash);
  // An IPv6 address is in brackets.
  const size_t bracket = authority.find(']');
  const size_t colon = authority.find(':', bracket == std::string::npos ? 0 : bracket);
  address.host = authority.substr(0, colon);
  address.port =
      colon == std::string::npos ? (address.secure ? "443" : "80") : authority.substr(colon + 1);
  if (bracket != std::string::npos) address.host = authority.substr(1, bracket - 1);
  const bool digits = !address.port.empty() && address.port.size() < 6 &&
                      address.port.find_first_not_of("0123456789") == std::string::npos;
  const bool odd = address.target.find_first_of(" \r\n\t") != std::string::npos;
  if (address.host.empty() || !digits || odd) {
    fail_input("'{}' is no address of the form http[s]://host[:port]/path", url);
  }
  return address;
}

void post_json(const WebAddress& address, const std::string& body, double timeout_seconds) {
  Exchange(address, timeout_seconds).post(body);
}

}  // namespace remixer::coordinator
