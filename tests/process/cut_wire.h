// SPDX-License-Identifier: Apache-2.0
// A TCP proxy of a test between a worker and its daemon, where no network can be had to disturb.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "tests/process/network.h"

namespace remixer::testing {

// Listens on a loopback port of its own and passes bytes to the daemon's. While it is cut,
// connections break and new ones are closed at once. One thread a connection.
class CutWire : public Network {
 public:
  CutWire() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      fail("cannot listen: {}", errno_text(errno));
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~CutWire() override {
    ending_ = true;
    acceptor_.join();
    for (std::thread& pump : pumps_) pump.join();
    ::close(listener_);
  }
  CutWire(const CutWire&) = delete;
  CutWire& operator=(const CutWire&) = delete;

  experiments::protocol::Access way_to(experiments::protocol::Access daemon) override {
    target_ = daemon.port;
    daemon.port = port_;
    return daemon;
  }
  void set(State state) override { state_ = state; }

 private:
  static constexpr int kMilliseconds = 50;  // between looks at the state

  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void accept_all() {
    while (!ending_) {
      pollfd wait{listener_, POLLIN, 0};
      if (::poll(&wait, 1, kMilliseconds) <= 0) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) pumps_.emplace_back([this, client] { pump(client); });
    }
  }

  void pump(int client) const {
    const int daemon = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(target_);
    bool open = state_ != State::kCut &&
                ::connect(daemon, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    while (open && !ending_ && state_ != State::kCut) {
      if (state_ == State::kSilent) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kMilliseconds));
        continue;
      }
      pollfd ends[2] = {{client, POLLIN, 0}, {daemon, POLLIN, 0}};
      if (::poll(ends, 2, kMilliseconds) <= 0) continue;
      open = (!ends[0].revents || pass(client, daemon, /*request=*/true)) &&
             (!ends[1].revents || pass(daemon, client, /*request=*/false));
    }
    ::close(client);
    ::close(daemon);
  }

  bool pass(int from, int to, bool request) const {
    char bytes[16384];
    const ssize_t count = ::recv(from, bytes, sizeof bytes, 0);
    if (request && count > 0) name_daemon(bytes, static_cast<size_t>(count));
    for (ssize_t sent = 0; sent < count;) {
      const ssize_t part =
          ::send(to, bytes + sent, static_cast<size_t>(count - sent), MSG_NOSIGNAL);
      if (part <= 0) return false;
      sent += part;
    }
    return count > 0;
  }

  // The daemon answers only to its own name: its port takes the place of ours in a request's Host,
  // where it stands in one piece. Ports that a system gives out have five digits.
  void name_daemon(char* bytes, size_t count) const {
    const std::string ours = fmt::format("127.0.0.1:{:05}", port_);
    const std::string daemons = fmt::format("127.0.0.1:{:05}", target_.load());
    char* const end = bytes + count;
    char* const at = std::search(bytes, end, ours.begin(), ours.end());
    if (at != end) std::copy(daemons.begin(), daemons.end(), at);
  }

  int listener_;
  uint16_t port_ = 0;
  std::atomic<uint16_t> target_ = 0;
  std::atomic<State> state_ = State::kWhole;
  std::atomic<bool> ending_ = false;
  std::thread acceptor_;
  std::vector<std::thread> pumps_;  // the acceptor's, until it has ended
};

}  // namespace remixer::testing
