// How one forward pass is to run.
#pragma once

#include "core/base/random.h"

namespace remixer::layers {

struct ForwardMode {
  bool training = false;              // batch statistics and stochastic depth
  bool update_running_stats = false;  // only with training: batch norm's running averages move
  Random* random = nullptr;  // stochastic depth's draws; required when training with drop_path
};

}  // namespace remixer::layers
