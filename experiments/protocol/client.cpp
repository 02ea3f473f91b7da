// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/client.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>

#include "base/host.h"
#include "experiments/protocol/busy.h"
#include "experiments/protocol/fingerprint.h"
#include "experiments/protocol/proof.h"
#include "experiments/protocol/stream.h"

namespace remixer::experiments::protocol {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
using beast::error_code;
using net::ip::tcp;

// Listings of a large grid are long; anything beyond this limit is a mistake.
constexpr uint64_t kLargestBody = uint64_t{1} << 30;
constexpr uint64_t kLargestProof = 4096;

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > 300) text = text.substr(0, 300) + "...";
  return text;
}

// The message of an error answer: {"error": "..."}, else the status line.
std::string refusal(const http::response<http::string_body>& answer) {
  const Json json = Json::parse(answer.body(), nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string()) {
    return one_line(json["error"].get<std::string>());
  }
  return fmt::format("the daemon answered {} {}", answer.result_int(),
                     std::string(answer.reason()));
}

}  // namespace

struct Client::State {
  Access access;
  std::chrono::steady_clock::duration timeout;
  double timeout_seconds;
  std::optional<net::ssl::context> tls;
  std::string host;  // the Host header
  net::io_context io;
  std::optional<Stream> stream;
  beast::flat_buffer buffer;

  State(Access given, double seconds);
  Json request(http::verb verb, const std::string& path, std::string body);

 private:
  using Request = http::request<http::string_body>;
  using Parser = http::response_parser<http::string_body>;
  // Runs one asynchronous step and waits for it: the stream's timeout applies only to these.
  template <typename Start>
  error_code wait(Start start);
  // Throws Unreachable if the address is a host name that cannot be resolved.
  std::vector<tcp::endpoint> endpoints();
  error_code connect();
  void check_certificate();
  // In clear text: requests the daemon's proof and checks it.
  void check_proof();
  error_code exchange(Request& request, Parser& parser);
  Json read_answer(const std::string& path, Parser& parser);
  void close() {
    stream.reset();
    buffer.clear();
  }
  [[noreturn]] void fail_unreachable(const error_code& error, bool connected);
};

Client::State::State(Access given, double seconds)
    : access(std::move(given)),
      timeout(std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::duration<double>(seconds))),
      timeout_seconds(seconds) {
  error_code error;
  const auto address = net::ip::make_address(access.address, error);
  if (access.fingerprint.empty() && (error || !address.is_loopback())) {
    fail_input(
        "the daemon's address {} is not loopback and the access file names no certificate: the "
        "token would travel in clear text",
        access.address);
  }
  if (!error && address.is_loopback() && !access.host.empty() && access.host != host_name()) {
    // What listens at that address on this host is another program; it must not get the token.
    throw Unreachable(
        fmt::format("the daemon listens on its own host {} alone, at {}, and this is {}: start it "
                    "with --address auto, or with `remixer slurm up`",
                    access.host, access.address, host_name()));
  }
  if (!access.fingerprint.empty()) {
    // Trust is by fingerprint only; no certificate authority is used.
    tls.emplace(net::ssl::context::tls_client);
    tls->set_options(net::ssl::context::no_tlsv1 | net::ssl::context::no_tlsv1_1);
    tls->set_verify_mode(net::ssl::verify_none);
  }
  const bool v6 = !error && address.is_v6();
  host = fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), access.address, access.port);
}

std::vector<tcp::endpoint> Client::State::endpoints() {
  error_code error;
  const auto address = net::ip::make_address(access.address, error);
  if (!error) return {tcp::endpoint(address, access.port)};
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(access.address, std::to_string(access.port), error);
  if (error) {
    throw UnknownHost(
        fmt::format("the daemon's host {} is not known here ({}); start the daemon with "
                    "--announce and an IP address that this host can reach",
                    access.address, error.message()));
  }
  return {found.begin(), found.end()};
}

template <typename Start>
error_code Client::State::wait(Start start) {
  error_code result;
  start([&](error_code error, auto&&...) { result = error; });
  io.restart();
  io.run();
  return result;
}

error_code Client::State::connect() {
  const std::vector<tcp::endpoint> places = endpoints();
  buffer.clear();
  stream.emplace(beast::tcp_stream(io), tls ? &*tls : nullptr);
  stream->tcp().expires_after(timeout);
  error_code error = wait([&](auto done) { stream->tcp().async_connect(places, done); });
  if (!error) {
    error_code ignored;
    stream->tcp().socket().set_option(tcp::no_delay(true), ignored);
    error = wait([&](auto done) { stream->async_handshake(Stream::Side::client, done); });
  }
  if (error) {
    close();
    return error;
  }
  if (tls) {
    check_certificate();
  } else {
    check_proof();
  }
  return {};
}

void Client::State::check_certificate() {
  X509* certificate = ::SSL_get_peer_certificate(stream->tls_session());
  const std::string seen = fingerprint_of(certificate);
  ::X509_free(certificate);
  if (seen == access.fingerprint) return;
  close();
  throw WrongCertificate(fmt::format(
      "what answers at {} is not the daemon of the access file: its certificate's fingerprint is "
      "{}..., not {}...; if no daemon of this workspace runs, remove its access.json",
      host, seen.substr(0, 16), access.fingerprint.substr(0, 16)));
}

void Client::State::check_proof() {
  const std::string nonce = new_nonce();
  Request request(http::verb::get, "/api/v1/proof?nonce=" + nonce, 11);
  request.set(http::field::host, host);
  request.keep_alive(true);
  Parser parser;
  parser.body_limit(kLargestProof);
  if (const error_code error = exchange(request, parser)) {
    close();
    fail_unreachable(error, true);
  }
  const auto answer = parser.release();
  const unsigned status = answer.result_int();
  if (status == 429 || status == 503) {
    close();
    throw Busy(fmt::format("the daemon at {} is busy ({})", host, refusal(answer)));
  }
  const Json json = Json::parse(answer.body(), nullptr, false);
  const bool proven = status == 200 && answer.keep_alive() && json.is_object() &&
                      json.value("proof", Json()) == Json(daemon_proof(access.token, nonce));
  if (proven) return;
  close();
  throw NotTheDaemon(fmt::format(
      "what answers at {} is not the daemon of the access file: it cannot prove that it knows the "
      "token; if no daemon of this workspace runs, remove its access.json",
      host));
}

error_code Client::State::exchange(Request& request, Parser& parser) {
  if (const error_code error =
          wait([&](auto done) { http::async_write(*stream, request, done); })) {
    return error;
  }
  return wait([&](auto done) { http::async_read(*stream, buffer, parser, done); });
}

void Client::State::fail_unreachable(const error_code& error, bool connected) {
  if (error == beast::error::timeout) {
    throw Busy(fmt::format("the daemon at {} did not answer within {:g} s", host, timeout_seconds));
  }
  if (connected) {
    throw Busy(fmt::format("the connection to the daemon at {} broke ({})", host, error.message()));
  }
  throw Unreachable(
      fmt::format("cannot reach the daemon at {} ({}); is it running? `remixer up` starts it", host,
                  error.message()));
}

Json Client::State::request(http::verb verb, const std::string& path, std::string body) {
  Request request(verb, "/api/v1" + path, 11);
  request.set(http::field::host, host);
  request.set(http::field::authorization, "Bearer " + access.token);
  request.set(http::field::accept, "application/json");
  if (verb == http::verb::post) request.set(http::field::content_type, "application/json");
  request.keep_alive(true);
  request.body() = std::move(body);
  request.prepare_payload();

  while (true) {
    const bool kept = stream.has_value();
    if (!kept) {
      if (const error_code error = connect()) fail_unreachable(error, false);
    } else {
      stream->tcp().expires_after(timeout);
    }
    Parser parser;
    parser.body_limit(kLargestBody);
    const error_code error = exchange(request, parser);
    if (!error) return read_answer(path, parser);
    close();
    // A kept-alive connection that has been closed meanwhile does not mean that the daemon is down.
    if (kept && !parser.got_some() && error != beast::error::timeout) continue;
    fail_unreachable(error, true);
  }
}

Json Client::State::read_answer(const std::string& path, Parser& parser) {
  const auto answer = parser.release();
  if (answer.keep_alive()) {
    stream->tcp().expires_never();
  } else {
    close();
  }
  const unsigned status = answer.result_int();
  if (status < 200 || status >= 300) throw Refused(static_cast<int>(status), refusal(answer));
  if (answer.body().empty()) return nullptr;
  Json json = Json::parse(answer.body(), nullptr, false);
  if (json.is_discarded())
    fail("the daemon's answer to {} is not JSON; is another program at {}?", path, host);
  return json;
}

Client::Client(Access access, double timeout_seconds)
    : state_(std::make_unique<State>(std::move(access), timeout_seconds)) {}

Client::~Client() = default;

Json Client::get(const std::string& path) {
  return state_->request(http::verb::get, path, {});
}

Json Client::post(const std::string& path, const Json& body) {
  // Log lines with invalid UTF-8 must not prevent sending the message.
  std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  // A daemon would refuse it and close the connection while it is still being sent.
  if (text.size() > kLargestRequest) {
    fail_input("what is sent to {} is too large: {} MiB, and a daemon takes {}; send it in parts",
               path, text.size() >> 20, kLargestRequest >> 20);
  }
  return state_->request(http::verb::post, path, std::move(text));
}

}  // namespace remixer::experiments::protocol
