// SPDX-License-Identifier: Apache-2.0
// Measures how well a labeler's maps agree with boxes and true masks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/json.h"
#include "core/dataset/dataset.h"
#include "labelcache/labelers/labeler.h"

namespace remixer::labelcache {

struct QualityJob {
  const data::Dataset& dataset;
  const Labeler& labeler;
  int64_t images = 500;  // evenly spaced over the split
  int grid = 8;          // patches a side
};

// Figures, each over the images that have the required data:
//   images, seconds_an_image
//   with boxes, dense: box_iou (the box around all cells above 0.5 against the boxes' hull) and
//     mask_iou (those cells themselves against the boxes); top-k: peaks_inside (share of images
//     whose cell of the largest logit has its centre inside a box) and, if the map's classes are
//     the dataset's, or ImageNet's and the image's path has a WordNet id: own_class_named (share of
//     images whose map names the image's own class) and own_class_peaks_inside (among those, with
//     the cell of that class's largest logit)
//   with masks, dense: patch_auroc (patch labels against which patches are mostly object)
//   with masks: pair_auroc (distances of patch pairs against which pairs join object and
//     background)
// Baselines of the box figures, for labels without information: `whole_box_iou` for the whole image
// and `chance_inside` for a random cell.
Json label_quality(const QualityJob& job);

// The area under the ROC curve: how often a positive's score is above a negative's, ties half. Null
// if one kind is missing.
Json auroc(std::vector<std::pair<float, bool>> scores);

}  // namespace remixer::labelcache
