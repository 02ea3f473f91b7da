// SPDX-License-Identifier: Apache-2.0
// Statistics of a label file.
#pragma once

#include "base/json.h"
#include "labelcache/file/label_file_reader.h"

namespace remixer::labelcache {

// Figures over all maps, an object of name to number or list:
//   dense: mean_label, object_share (of cells above 0.5), empty_maps (no cell above 0.5),
//     mean_range
//   top-k: classes_seen (as a cell's first), mean_logit and mean_margin of a cell's first class
//     over its second, classes_a_map (distinct firsts), most_frequent (the ten classes that most
//     cells name first, as [class, share]); no mean_margin if top_k is 1
// An empty object if the file has no maps.
// Reads the whole file; throws as LabelFileReader::map().
Json label_stats(const LabelFileReader& reader);

}  // namespace remixer::labelcache
