// SPDX-License-Identifier: Apache-2.0
// Labels of the adversarial metric's composites, by the labeler that a model was trained with.
#pragma once

#include "base/json.h"
#include "core/evaluation/adversarial.h"
#include "labelcache/labelers/labeler.h"

namespace remixer::worker {

// `entry` is the labeler's, as in a cell; `weights` the folders of its network. Throws InputError
// where its labels were imported: those are of images that exist.
evaluation::CompositeLabeler composite_labeler(const Json& entry,
                                               const labelcache::WeightFolders& weights);

}  // namespace remixer::worker
