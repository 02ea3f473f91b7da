// SPDX-License-Identifier: Apache-2.0
// The error Busy: the daemon accepts connections but does not answer.
#pragma once

#include "experiments/protocol/client.h"

namespace remixer::experiments::protocol {

// Something listens at the daemon's address, but did not answer in time or hung up: it may be busy.
// Client throws it in place of Unreachable.
class Busy : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

}  // namespace remixer::experiments::protocol
