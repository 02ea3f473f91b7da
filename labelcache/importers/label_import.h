// SPDX-License-Identifier: Apache-2.0
// Imports published label maps as label files.
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
  // Top-k maps were made from ImageNet's photographs: relabel's from whole ones, tokenlabeling's
  // from their centre squares. How the data set's images relate to the photographs is known if they
  // vary in size (they are the photographs) or if this program built them (ImageNet-9); else one of
  // these must say it:
  bool whole_images = false;  // they are the photographs
  double crop = 0;            // the centre square with this share of the shorter side; 0: not given
  // For crops: a folder with the photographs, laid out like the maps. Their shapes are needed to
  // place maps of whole photographs.
  std::filesystem::path originals;
  // Top-k maps cover the whole image, whatever they were made from, as in the released code.
  bool as_released = false;
  // A sample without a map gets an empty one (no object; all classes equal) instead of ending the
  // import.
  bool allow_missing = false;
  std::function<void(int64_t done, int64_t total)> on_progress;
};

struct ImportOutcome {
  int64_t images = 0;
  int64_t missing = 0;  // images without a map
  std::string content_sha256;
};

// The map of sample "train/n01/n01_7.JPEG" is <maps>/<path>.<suffix>, where <path> is the sample's
// path without its suffix, or its last parts: n01/n01_7.pt. Continues an interrupted import. Throws
// InputError if a map is torn or of another size (naming the file), if samples have none (with
// their number), or if it is not known how images and photographs relate; the output file then does
// not appear.
ImportOutcome import_labels(const ImportJob& job);

// Reads a map file of each kind. Throws InputError naming the file.
//   PyTorch  one tensor [2, k, h, w], float16 or float32: logits, largest first, and classes; the
//            zip format that torch.save has written since PyTorch 1.6
//   NumPy    [h, w] or [h, w, 1] of bool, integers or floats;
//            bool and floats are 0 to 1,
//            bytes 0 to 255
data::LabelMap read_pytorch_map(const std::filesystem::path& file, int64_t classes);
data::LabelMap read_numpy_mask(const std::filesystem::path& file);

// The centre square of an image of this size, as a part of it.
data::Cover centre_square(int width, int height);

// The cover of a photograph's map in an image that is the centre square of `crop` of the
// photograph's shorter side: for a map of the centre square, and for a map of the whole photograph
// of this size. Such covers extend beyond 0 and 1: the map covers more than the image shows.
data::Cover square_around_crop(double crop);
data::Cover whole_around_crop(int width, int height, double crop);

}  // namespace remixer::labelcache
