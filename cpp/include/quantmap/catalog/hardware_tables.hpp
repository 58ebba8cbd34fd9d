// The tables of hardware.json: classes that rules tell apart, capabilities, products, and what was claimed of them.
#pragma once

#include <cstdint>
#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

struct GpuArchitecture {
  std::string_view id;
  std::string_view name;
  int capability;  // the first of the architecture, times ten
};

struct GpuClass {
  std::string_view id;
  std::string_view title;
  int floor;  // lowest compute capability, times ten
};

struct GpuCapability {
  int capability;              // times ten
  std::string_view cuda;       // first CUDA toolkit
  std::string_view last_cuda;  // last major version; empty: still supported
};

// One size in which a product is sold.
struct GpuMemory {
  int gb;                        // as sold
  int reported_mib;              // what the driver reports as total; 0: not known
  Rows<std::string_view> words;  // of the name, that mean this size
};

struct GpuProduct {
  std::string_view id;
  std::string_view name;
  int capability;
  Rows<std::string_view> names;
  Rows<GpuMemory> memory;  // the first is taken when the name says none
  Rows<std::string_view> evidence;
};

// What is no NVIDIA GPU, and why no rule holds for it.
struct OtherMaker {
  std::string_view maker;
  Rows<std::string_view> words;
  Rows<std::string_view> image_words;  // beginnings of parts of the names of images that are built for it
  Rows<std::string_view> marks;        // variables and devices that only its launches name
  std::string_view reason;
};

// A row of the specification's hardware matrices, and the config that asks for it.
struct HardwareClaim {
  std::string_view id;
  std::string_view title;
  Rows<std::string_view> documented;  // architectures said to do it
  std::string_view cuda;              // said to be needed; empty: nothing said
  std::string_view config;            // as JSON
  std::string_view checkpoint;        // the model's own method; empty: unquantized
  std::string_view source;
};

struct Hardware {
  Rows<GpuArchitecture> architectures;
  Rows<GpuCapability> capabilities;  // ascending
  Rows<std::string_view> vendor_words;
  Rows<std::string_view> form_words;
  Rows<GpuProduct> products;
  Rows<OtherMaker> others;
  Rows<HardwareClaim> claims;
};

}  // namespace quantmap
