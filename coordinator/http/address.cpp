// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/host.h"

namespace remixer::coordinator {
namespace {

using Address = boost::asio::ip::address;

std::optional<Address> numeric(const std::string& text) {
  boost::system::error_code code;
  const Address address = boost::asio::ip::make_address(text, code);
  return code ? std::nullopt : std::optional(address);
}

std::optional<Address> address_of(const sockaddr* socket, socklen_t size) {
  char text[NI_MAXHOST];
  if (!socket || (socket->sa_family != AF_INET && socket->sa_family != AF_INET6) ||
      ::getnameinfo(socket, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) {
    return std::nullopt;
  }
  return numeric(text);
}

// Prefers IPv4 to IPv6: every cluster's network has it.
std::optional<Address> preferred(const std::vector<Address>& found) {
  for (const Address& each : found) {
    if (each.is_v4()) return each;
  }
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::optional<Address> lookup(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return std::nullopt;
  std::vector<Address> found;
  for (const addrinfo* each = list; each; each = each->ai_next) {
    if (auto address = address_of(each->ai_addr, each->ai_addrlen)) found.push_back(*address);
  }
  ::freeaddrinfo(list);
  return preferred(found);
}

// Address of the named interface or, without a name, of the first one that is not loopback.
std::optional<Address> interface_address(const std::string& name) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::nullopt;
  std::vector<Address> found;
  for (const ifaddrs* each = list; each; each = each->ifa_next) {
    const bool wanted = name.empty() ? (each->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP
                                     : name == each->ifa_name;
    if (!wanted || !each->ifa_addr) continue;
    const socklen_t size =
        each->ifa_addr->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    const auto address = address_of(each->ifa_addr, size);
    if (!address || (address->is_v6() && address->to_v6().is_link_local())) continue;
    found.push_back(*address);
  }
  ::freeifaddrs(list);
  return preferred(found);
}

std::string outside_address() {
  auto address = lookup(host_name());
  if (!address || address->is_loopback()) address = interface_address("");
  return address ? address->to_string() : "127.0.0.1";
}

Address listening(const std::string& given) {
  if (given == "auto") return Address(boost::asio::ip::address_v4::any());
  auto address = numeric(given);
  if (!address) address = interface_address(given);
  if (!address) address = lookup(given);
  if (!address) {
    fail_input(
        "'{}' is not an IP address, nor a network interface or host name that is known here; use "
        "127.0.0.1 for this host alone, or auto for all interfaces",
        given);
  }
  return *address;
}

}  // namespace

ListenAddress resolve_listen_address(const std::string& given, const std::string& announce) {
  const Address address = listening(given);
  ListenAddress result{address.to_string(), announce, address.is_loopback()};
  if (result.announce.empty()) {
    result.announce = address.is_unspecified() ? outside_address() : result.listen;
  }
  return result;
}

}  // namespace remixer::coordinator
