// Label files as version 0.1 of the project wrote them, in base64: of three 8 × 8 images, by
// bbox_grabcut (scale 1) and by relabel (input_size 32).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace remixer::testing {

constexpr std::string_view kVersion1Dense =
    "Uk1YTEFCRUwBAAAA0wAAAKjNWg/sYv2zeyJjaGFubmVscyI6MSwiZGF0YXNldF9zaGEyNTYiOiJkZGRkZGRkZGRk"
    "ZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkIiwiaW1hZ2VzIjoz"
    "LCJsYWJlbGVyIjp7Im5hbWUiOiJiYm94X2dyYWJjdXQiLCJzY2FsZSI6MSwidmVyc2lvbiI6MX0sInNwbGl0Ijoi"
    "dHJhaW4iLCJ0b3BfayI6MCwid2VpZ2h0c19zaGEyNTYiOiIifSi1L/0gzOUAAEAIAAgA/////wcAL4wJoMBImHAE"
    "BYAMVhjiASLrAAAAAAAAABg2kyU/WvNWJQAAAMwAAAAAAAAAAwAAAA0AAAAaAAAAJwAAAAAAAAABAAAAAgAAAHRy"
    "YWluL2EvMC5wbmd0cmFpbi9hLzEucG5ndHJhaW4vYS8yLnBuZxABAAAAAAAAXwAAAAAAAAA4SPjyoFiWgQMAAAAB"
    "AAAAMTZlMzRmMmQ2NzljMGI5NzQxOWI4MDBkZWZmYjQyOTViNzYxOGI0MzYzNDk3MTlhYTY5ODg0OTVjNGYxM2E5"
    "OCCOKJbX7LlNUk1YTEFCRVo=";
constexpr std::string_view kVersion1TopK =
    "Uk1YTEFCRUwBAAAAdQEAAMibdEFEyu2qeyJjaGFubmVscyI6MTAwMCwiZGF0YXNldF9zaGEyNTYiOiJkZGRkZGRk"
    "ZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkIiwiaW1hZ2Vz"
    "IjozLCJsYWJlbGVyIjp7ImlucHV0X3NpemUiOjMyLCJuYW1lIjoicmVsYWJlbCIsInRvcF9rIjo1LCJ2ZXJzaW9u"
    "IjoxLCJ3ZWlnaHRzX3NoYTI1NiI6IjU3OTM0NDI0OGE5M2UyMzAyNmU2Yjc4ZjFmNmZhZjBiYzFkMjgyMzg2ZjZj"
    "ODgxY2RiYWFjZDQ5Y2FiZjc3ZGIifSwic3BsaXQiOiJ0cmFpbiIsInRvcF9rIjo1LCJ3ZWlnaHRzX3NoYTI1NiI6"
    "IjU3OTM0NDI0OGE5M2UyMzAyNmU2Yjc4ZjFmNmZhZjBiYzFkMjgyMzg2ZjZjODgxY2RiYWFjZDQ5Y2FiZjc3ZGIi"
    "fSi1L/0gSEECAAEAAQA3QIo9gT30PLg85QK1A/0BigNGAgEAAQAiRClB1kC8QJ1A5QK1A8oCvALHAQEAAQCZRGNB"
    "LEErQfdA5QLKAv0BtQNIAY0BAAAAAAAA2xw8eUrDfUNRAAAASAAAAAAAAAADAAAADQAAABoAAAAnAAAAAAAAAAEA"
    "AAACAAAAdHJhaW4vYS8wLnBuZ3RyYWluL2EvMS5wbmd0cmFpbi9hLzIucG5n3gEAAAAAAABfAAAAAAAAAA9/nsuy"
    "rIUKAwAAAAEAAAAzOGQzOTk2ODVlYjU0ODA1MGY3ZWRjMjY0NDViNGZiMDA2MTQxNGVlNThjZmJhYzQxNjI2NDgw"
    "MDNjNDVlZWQ2bnb87HeevdtSTVhMQUJFWg==";
constexpr std::string_view kVersion1DenseContent =
    "16e34f2d679c0b97419b800deffb4295b7618b436349719aa6988495c4f13a98";
constexpr std::string_view kVersion1TopKContent =
    "38d399685eb548050f7edc26445b4fb0061414ee58cfbac4162648003c45eed6";

inline std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char digit : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(digit));
    if ((count += 6) < 8) continue;
    bytes += static_cast<char>(bits >> (count -= 8));
  }
  return bytes;
}

}  // namespace remixer::testing
