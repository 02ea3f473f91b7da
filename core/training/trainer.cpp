// SPDX-License-Identifier: Apache-2.0
#include "core/training/trainer.h"

#include "core/training/run.h"

namespace remixer::training {

TrainOutcome train(const TrainJob& job, Communicator& communicator) {
  return Run(job, communicator).train();
}

}  // namespace remixer::training
