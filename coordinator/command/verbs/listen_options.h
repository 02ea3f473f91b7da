// SPDX-License-Identifier: Apache-2.0
// Options of commands that start a daemon: where it listens.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "coordinator/daemon/daemon.h"

namespace remixer::coordinator::command {

struct ListenOptions {
  std::string address = "127.0.0.1";
  std::string announce;
  uint16_t port = 0;

  void add_to(CLI::App* command) {
    command
        ->add_option("--address", address,
                     "IP address, host name or network interface to listen on (auto: all); TLS is "
                     "used unless it is a loopback address")
        ->type_name("A")
        ->capture_default_str();
    command
        ->add_option("--announce", announce,
                     "Address or name by which other hosts reach this one [detected]")
        ->type_name("A");
    command->add_option("--port", port, "Port to listen on; 0: any free one")
        ->type_name("P")
        ->capture_default_str();
  }
  void apply(DaemonOptions& options) const {
    options.address = address;
    options.announce = announce;
    options.port = port;
  }
};

}  // namespace remixer::coordinator::command
