// SPDX-License-Identifier: Apache-2.0
// Where the daemon listens, and under which address others find it.
#pragma once

#include <string>

namespace remixer::coordinator {

struct ListenAddress {
  std::string listen;    // numeric
  std::string announce;  // what the access file says: numeric, or as the user gave it
  bool loopback = true;  // only this host can reach it
};

// `given`: an IP address, a host name, a network interface ("ib0"), or "auto", which means all
// interfaces, as 0.0.0.0 does. `announce`: the address or name by which other hosts reach this one;
// empty: worked out. All interfaces are announced by the address that this host's name stands for
// or, where that is a loopback one, by that of the first network interface. Throws InputError where
// `given` is none of these.
ListenAddress resolve_listen_address(const std::string& given, const std::string& announce = "");

}  // namespace remixer::coordinator
