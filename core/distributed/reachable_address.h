// SPDX-License-Identifier: Apache-2.0
// Finds an address at which other ranks reach this one: host names may not resolve on other nodes,
// and networks may not be shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace remixer::training {

// This machine's addresses, the most likely first: the host name, then those of its active
// interfaces (interfaces named by NCCL_SOCKET_IFNAME before all others), loopback last.
std::vector<std::string> own_addresses();

// Listens on its own port, on all addresses, and answers with a secret, so that others can tell
// this process from any other listener. A thread serves until destruction.
class Doorbell {
 public:
  Doorbell();
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  uint16_t port() const;
  const std::string& secret() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The first of `addresses` at whose `port` the doorbell with that secret answers within `seconds`;
// empty if none does.
std::string find_reachable(const std::vector<std::string>& addresses, uint16_t port,
                           const std::string& secret, double seconds = 3);

}  // namespace remixer::training
