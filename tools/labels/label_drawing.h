// SPDX-License-Identifier: Apache-2.0
// Draws a label map over its image.
#pragma once

#include "core/augment/patch_labels.h"
#include "core/image/image.h"

namespace remixer::labelcache {

// The image, enlarged to about 512 pixels, beside a copy covered by its labels. Dense: red, as
// strong as the label. Top-k: each cell in the colour of its first class, as strong as that class's
// share among the cell's named ones, with the cells' borders.
data::Image draw_labels(const data::Image& image, const data::LabelMap& map);

}  // namespace remixer::labelcache
