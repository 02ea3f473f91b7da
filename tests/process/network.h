// SPDX-License-Identifier: Apache-2.0
// The network between a daemon and its workers, which a test can disturb.
#pragma once

#include <string>
#include <vector>

#include "experiments/protocol/access.h"

namespace remixer::testing {

class Network {
 public:
  // Silent: connections stand, and what is sent disappears from sight until the network is mended.
  // Cut: there is no way to the daemon, and whoever tries is told so.
  enum class State { kWhole, kSilent, kCut };

  virtual ~Network() = default;

  // What stands before a command of the daemon's side, or of a worker's.
  virtual std::vector<std::string> daemon_side() const { return {}; }
  virtual std::vector<std::string> worker_side() const { return {}; }
  // Options by which the daemon listens on this network.
  virtual std::vector<std::string> listen() const { return {}; }
  // How workers reach a daemon that has just begun to listen.
  virtual experiments::protocol::Access way_to(experiments::protocol::Access daemon) = 0;
  virtual void set(State state) = 0;
};

}  // namespace remixer::testing
