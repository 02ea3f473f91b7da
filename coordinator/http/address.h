// SPDX-License-Identifier: Apache-2.0
// The daemon's listen address, and the address under which others reach it.
#pragma once

#include <string>

namespace remixer::coordinator {

struct ListenAddress {
  std::string listen;    // numeric
  std::string announce;  // for the access file: numeric, or as the user gave it
  bool loopback = true;  // reachable only from this host
};

// `given`: an IP address, a host name, a network interface ("ib0"), or "auto", which means all
// interfaces, as 0.0.0.0 does. `announce`: the address or name by which other hosts reach this one;
// empty: determined. If it listens on all interfaces, it announces the address of this host's name
// or, if that is loopback, the address of the first network interface. Throws InputError if `given`
// is none of these.
ListenAddress resolve_listen_address(const std::string& given, const std::string& announce = "");

}  // namespace remixer::coordinator
