// SPDX-License-Identifier: Apache-2.0
// An HTTP server on a real socket whose answers a test writes out.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "base/host.h"
#include "experiments/protocol/access.h"
#include "experiments/protocol/proof.h"

namespace remixer::testing {

// One connection, seen from the server.
class Peer {
 public:
  // With a token it proves, as a daemon does, that it knows it.
  explicit Peer(int socket, std::string token) : socket_(socket), token_(std::move(token)) {}
  // A whole request, head and body; empty where the client has closed the connection. Requests for
  // the proof are answered.
  std::string receive() {
    const std::string text = receive_any();
    const std::string asked = "GET /api/v1/proof?nonce=";
    if (token_.empty() || !text.starts_with(asked)) return text;
    const std::string nonce = text.substr(asked.size(), 64);
    answer("200 OK", fmt::format("{{\"proof\": \"{}\"}}",
                                 experiments::protocol::daemon_proof(token_, nonce)));
    return receive();
  }
  std::string receive_any() {
    std::string text;
    char buffer[4096];
    while (true) {
      const size_t head = text.find("\r\n\r\n");
      if (head != std::string::npos && text.size() >= head + 4 + body_length(text)) return text;
      const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) return {};
      text.append(buffer, static_cast<size_t>(got));
    }
  }
  void send(const std::string& text) { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void answer(const std::string& status, const std::string& body, const std::string& header = "") {
    send(fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), header,
                     body));
  }

 private:
  static size_t body_length(const std::string& text) {
    const std::string name = "Content-Length: ";
    const size_t at = text.find(name);
    return at == std::string::npos ? 0 : std::stoul(text.substr(at + name.size()));
  }
  int socket_;
  std::string token_;
};

// Listens on a free loopback port and plays `script` for each connection, one after the other; the
// connection is closed when it returns.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer& peer, int connection)>;
  // `token`: that it knows; empty: none, and it cannot prove anything.
  explicit ScriptedServer(Script script, std::string token = "secret")
      : script_(std::move(script)), token_(std::move(token)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
    ::listen(listener_, 8);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    access_ = {"127.0.0.1", ntohs(address.sin_port), "secret", "", host_name(), 1};
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  const experiments::protocol::Access& access() const { return access_; }
  int connections() const { return connections_; }

 private:
  void serve() {
    while (true) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      // So that a client that waits for ever fails its test instead of stopping all of them.
      const timeval patience{5, 0};
      ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      Peer peer(socket, token_);
      script_(peer, ++connections_);
      ::close(socket);
    }
  }
  Script script_;
  std::string token_;
  experiments::protocol::Access access_;
  int listener_ = -1;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace remixer::testing
