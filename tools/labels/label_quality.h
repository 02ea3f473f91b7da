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
  int64_t images = 500;  // spread evenly over the split
  int grid = 8;          // patches a side
};

// Figures, each over the images that have what it needs:
//   images, seconds_an_image
//   with boxes, dense: box_iou (of the box around all cells above 0.5 with the boxes' hull) and
//     mask_iou (of those cells themselves with the boxes); top-k: peaks_inside (share of images
//     whose cell of the largest logit has its centre inside a box), and where the map's classes are
//     the dataset's, or ImageNet's and the image's path has a WordNet id: own_class_named (share of
//     images whose map names the image's own class) and own_class_peaks_inside (among those, with
//     the cell of that class's largest logit)
//   with masks, dense: patch_auroc (patch labels against which patches are mostly object)
//   with masks: pair_auroc (distances of patch pairs against which pairs are of object and
//   background)
// The box figures also for labels that know nothing: `whole_box_iou` and `chance_inside` are those
// of the whole image and of a cell at random.
Json label_quality(const QualityJob& job);

// The area under the ROC curve: how often a positive's score is above a negative's, ties half.
// Nothing (null) where one kind is missing.
Json auroc(std::vector<std::pair<float, bool>> scores);

}  // namespace remixer::labelcache
