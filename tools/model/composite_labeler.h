// SPDX-License-Identifier: Apache-2.0
// Labels the adversarial metric's composites with the labeler that a model was trained with.
#pragma once

#include "core/evaluation/adversarial.h"
#include "experiments/spec/component_spec.h"
#include "labelcache/labelers/labeler.h"

namespace remixer::worker {

// `weights`: the folders of its network, which runs on `device`. Throws InputError if the labels
// were imported: those exist only for existing images.
evaluation::CompositeLabeler composite_labeler(const experiments::LabelerSpec& spec,
                                               const labelcache::WeightFolders& weights,
                                               at::Device device);

}  // namespace remixer::worker
