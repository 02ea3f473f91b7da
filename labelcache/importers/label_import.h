// SPDX-License-Identifier: Apache-2.0
// Published label maps as label files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/dataset/dataset.h"
#include "labelcache/file/label_file_format.h"

namespace remixer::labelcache {

struct ImportJob {
  std::string format;             // tokenlabeling, relabel, png or npy
  std::filesystem::path maps;     // the folder of maps
  std::filesystem::path dataset;  // folder of the built or imported dataset
  std::string split;
  std::filesystem::path output;
  int64_t classes = 1000;  // K of top-k maps
  // Top-k maps were made of ImageNet's photographs: relabel's of the whole one, tokenlabeling's of
  // its centre square. How the data set's images were made of the same photographs is known where
  // they are of many sizes (they are the photographs) and where this program built them
  // (ImageNet-9); else one of these says it:
  bool whole_images = false;  // they are the photographs
  double crop = 0;            // the centre square of this share of the shorter side; 0: not said
  // Where they are crops: a folder of the photographs, laid out as the maps may be. Whole maps are
  // placed by the photographs' shapes.
  std::filesystem::path originals;
  // Top-k maps over the whole image whatever they were made of, as the released code uses them.
  bool as_released = false;
  // A sample without a map gets an empty one (no object; all classes alike) instead of ending the
  // import.
  bool allow_missing = false;
  std::function<void(int64_t done, int64_t total)> on_progress;
};

struct ImportOutcome {
  int64_t images = 0;
  int64_t missing = 0;  // of them without a map
  std::string content_sha256;
};

// A map of sample "train/n01/n01_7.JPEG" is <maps>/<path>.<suffix> for the sample's path without
// its suffix, or the last two or more parts of it: n01/n01_7.pt. Goes on where an earlier import
// was cut. Throws InputError naming the file of a torn map or one of another size, and counting the
// samples that have none; InputError too where it is not known how images and photographs belong
// together; the file then does not appear.
ImportOutcome import_labels(const ImportJob& job);

// What a map file of each kind holds. Throw InputError naming the file.
//   PyTorch  one tensor [2, k, h, w], float16 or float32: logits, largest first, and classes; the
//            zip format that torch.save has written since PyTorch 1.6
//   NumPy    [h, w] or [h, w, 1] of bool, integers or floats; bool and floats are 0 to 1, bytes 0
//   to
//            255
data::LabelMap read_pytorch_map(const std::filesystem::path& file, int64_t classes);
data::LabelMap read_numpy_mask(const std::filesystem::path& file);

// The part of an image of this size that its centre square is.
data::Cover centre_square(int width, int height);

// What a map of a photograph's centre square, and of a whole photograph of this size, covers of the
// image that is the centre square of `crop` of its shorter side. Such covers reach beyond 0 and 1:
// the map knows more than the image shows.
data::Cover square_around_crop(double crop);
data::Cover whole_around_crop(int width, int height, double crop);

}  // namespace remixer::labelcache
