// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/reachable_address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <thread>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/host.h"

namespace remixer::training {
namespace {

std::string random_secret() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 4; ++i) text += fmt::format("{:08x}", random());
  return text;
}

// Milliseconds until `end`, for poll().
int left_ms(double end) {
  return static_cast<int>(std::max(0.0, end - system_clock().monotonic()) * 1000);
}

bool ready(int socket, short events, double end) {
  pollfd wait{socket, events, 0};
  return ::poll(&wait, 1, left_ms(end)) == 1;
}

bool connected(int socket, const addrinfo& to, double end) {
  if (::connect(socket, to.ai_addr, to.ai_addrlen) == 0) return true;
  if (errno != EINPROGRESS || !ready(socket, POLLOUT, end)) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

bool answers(const addrinfo& to, const std::string& secret, double end) {
  const Descriptor socket(
      ::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to.ai_protocol));
  if (socket.get() < 0 || !connected(socket.get(), to, end)) return false;
  std::string heard;
  while (heard.size() < secret.size() && ready(socket.get(), POLLIN, end)) {
    std::array<char, 64> part{};
    const ssize_t got = ::recv(socket.get(), part.data(), part.size(), 0);
    if (got <= 0) break;
    heard.append(part.data(), static_cast<size_t>(got));
  }
  return heard == secret;
}

bool rings(const std::string& address, uint16_t port, const std::string& secret, double end) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return false;
  }
  bool heard = false;
  for (const addrinfo* each = found; each && !heard; each = each->ai_next) {
    heard = answers(*each, secret, end);
  }
  ::freeaddrinfo(found);
  return heard;
}

// An address as text; empty for link-local addresses and other families.
std::string numeric(const sockaddr& address) {
  const bool six = address.sa_family == AF_INET6;
  if (!six && address.sa_family != AF_INET) return "";
  if (six) {
    const auto& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&bytes)) return "";
  }
  std::array<char, NI_MAXHOST> text{};
  const socklen_t size = six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const int code =
      ::getnameinfo(&address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return code == 0 ? text.data() : "";
}

// Sort key of an interface in the list.
int order_of(const ifaddrs& interface) {
  const char* wanted = std::getenv("NCCL_SOCKET_IFNAME");
  if (wanted && *wanted && std::string(interface.ifa_name).starts_with(wanted)) return 0;
  if (interface.ifa_flags & IFF_LOOPBACK) return 3;
  return interface.ifa_addr->sa_family == AF_INET ? 1 : 2;
}

}  // namespace

std::vector<std::string> own_addresses() {
  std::vector<std::pair<int, std::string>> found = {{1, host_name()}};
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) == 0) {
    for (const ifaddrs* each = all; each; each = each->ifa_next) {
      if (!each->ifa_addr || !(each->ifa_flags & IFF_UP)) continue;
      const std::string text = numeric(*each->ifa_addr);
      if (!text.empty()) found.emplace_back(order_of(*each), text);
    }
    ::freeifaddrs(all);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> addresses;
  for (auto& [order, text] : found) addresses.push_back(std::move(text));
  return addresses;
}

struct Doorbell::Parts {
  std::unique_ptr<Descriptor> listener;
  std::array<int, 2> wake{-1, -1};  // a pipe: closing it ends the thread
  std::string secret = random_secret();
  uint16_t port = 0;
  std::thread thread;

  // On all addresses, of both families if the kernel has IPv6.
  void listen() {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_any;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    if (!listen_on(AF_INET6, reinterpret_cast<sockaddr*>(&six), sizeof six) &&
        !listen_on(AF_INET, reinterpret_cast<sockaddr*>(&four), sizeof four)) {
      fail("cannot listen for the other ranks: {}", errno_text(errno));
    }
  }

  bool listen_on(int family, sockaddr* address, socklen_t size) {
    listener = std::make_unique<Descriptor>(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int off = 0;
    if (family == AF_INET6) {
      ::setsockopt(listener->get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (::bind(listener->get(), address, size) != 0 || ::listen(listener->get(), 64) != 0 ||
        ::getsockname(listener->get(), address, &size) != 0) {
      return false;
    }
    // The port is at the same offset for both families.
    port = ntohs(reinterpret_cast<sockaddr_in*>(address)->sin_port);
    return true;
  }

  void serve() const {
    while (true) {
      std::array<pollfd, 2> waits{{{listener->get(), POLLIN, 0}, {wake[0], POLLIN, 0}}};
      if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
      if (waits[1].revents != 0) return;
      if (waits[0].revents == 0) continue;
      const Descriptor visitor(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
      // The secret fits into the socket's buffer; a visitor that is already gone does not matter.
      if (visitor.get() >= 0) {
        [[maybe_unused]] const ssize_t sent =
            ::send(visitor.get(), secret.data(), secret.size(), MSG_NOSIGNAL);
      }
    }
  }
};

Doorbell::Doorbell() : parts_(std::make_unique<Parts>()) {
  parts_->listen();
  if (::pipe2(parts_->wake.data(), O_CLOEXEC) != 0) fail("no pipe: {}", errno_text(errno));
  parts_->thread = std::thread([this] { parts_->serve(); });
}

Doorbell::~Doorbell() {
  ::close(parts_->wake[1]);
  parts_->thread.join();
  ::close(parts_->wake[0]);
}

uint16_t Doorbell::port() const {
  return parts_->port;
}

const std::string& Doorbell::secret() const {
  return parts_->secret;
}

std::string find_reachable(const std::vector<std::string>& addresses, uint16_t port,
                           const std::string& secret, double seconds) {
  for (const std::string& address : addresses) {
    if (rings(address, port, secret, system_clock().monotonic() + seconds)) return address;
  }
  return "";
}

}  // namespace remixer::training
