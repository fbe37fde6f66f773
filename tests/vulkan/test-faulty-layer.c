/* SPDX-License-Identifier: MIT
 * The faulty layer does what faulty-layer.c says: alone, with the validation layer in front and
 * behind. */
#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define MIB ((VkDeviceSize)1 << 20)
#define FAULTY "VK_LAYER_DPCXR_faulty"
#define VALIDATION "VK_LAYER_KHRONOS_validation"
#define FOREVER UINT64_MAX

static const char *const faults[] = {"LOSE_DEVICE_AFTER", "HEAP_MB",    "ALLOCATE_MB", "TYPE",
                                     "STORAGE_RANGE_MB",  "NO_FLOAT64", "NO_DEVICES"};

typedef struct {
    VkInstance instance;
    VkDebugUtilsMessengerEXT messenger; /* with the validation layer */
    unsigned complaints;                /* of the validation layer */
    VkPhysicalDevice gpu;               /* the first, or NULL */
    VkPhysicalDeviceProperties properties;
    VkDevice device;
    VkQueue queue;
} Vulkan;

static PFN_vkVoidFunction proc(const Vulkan *vulkan, const char *name)
{
    return vkGetInstanceProcAddr(vulkan->instance, name);
}

static VkBool32 complain(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                         VkDebugUtilsMessageTypeFlagsEXT types,
                         const VkDebugUtilsMessengerCallbackDataEXT *data, void *vulkan)
{
    g_test_message("%s", data->pMessage);
    ((Vulkan *)vulkan)->complaints++;
    return VK_FALSE;
}

static gboolean has_layer(const char *name)
{
    uint32_t n = 0;
    g_assert_cmpint(vkEnumerateInstanceLayerProperties(&n, NULL), ==, VK_SUCCESS);
    g_autofree VkLayerProperties *layers = g_new0(VkLayerProperties, MAX(n, 1));
    g_assert_cmpint(vkEnumerateInstanceLayerProperties(&n, layers), ==, VK_SUCCESS);
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(layers[i].layerName, name))
            return TRUE;
    return FALSE;
}

/* `layers`: from the program's side down, with colons between them. */
static VkResult create_instance(Vulkan *vulkan, const char *layers)
{
    g_setenv("VK_INSTANCE_LAYERS", layers, TRUE);
    gboolean validated = strstr(layers, VALIDATION) != NULL;
    const VkDebugUtilsMessengerCreateInfoEXT messages = {
        VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = complain,
        .pUserData = vulkan,
    };
    const VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info = {
        VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
        .enabledExtensionCount = validated,
        .ppEnabledExtensionNames = (const char *const[]){VK_EXT_DEBUG_UTILS_EXTENSION_NAME},
    };
    VkResult result = vkCreateInstance(&info, NULL, &vulkan->instance);
    if (result == VK_SUCCESS && validated) {
        PFN_vkCreateDebugUtilsMessengerEXT create =
            (PFN_vkCreateDebugUtilsMessengerEXT)proc(vulkan, "vkCreateDebugUtilsMessengerEXT");
        g_assert_cmpint(create(vulkan->instance, &messages, NULL, &vulkan->messenger), ==, VK_SUCCESS);
    }
    return result;
}

/* FALSE without any driver: the loader then makes no instance. */
static gboolean open_instance(Vulkan *vulkan, const char *layers)
{
    *vulkan = (Vulkan){0};
    VkResult result = create_instance(vulkan, layers);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
        return FALSE;
    g_assert_cmpint(result, ==, VK_SUCCESS);
    uint32_t n = 1;
    g_assert_cmpint(vkEnumeratePhysicalDevices(vulkan->instance, &n, &vulkan->gpu), >=, VK_SUCCESS);
    if (n)
        vkGetPhysicalDeviceProperties(vulkan->gpu, &vulkan->properties);
    else
        vulkan->gpu = NULL;
    return TRUE;
}

static void close_instance(Vulkan *vulkan)
{
    if (vulkan->device)
        vkDestroyDevice(vulkan->device, NULL);
    if (vulkan->messenger) {
        PFN_vkDestroyDebugUtilsMessengerEXT destroy =
            (PFN_vkDestroyDebugUtilsMessengerEXT)proc(vulkan, "vkDestroyDebugUtilsMessengerEXT");
        destroy(vulkan->instance, vulkan->messenger, NULL);
    }
    vkDestroyInstance(vulkan->instance, NULL);
    g_assert_cmpuint(vulkan->complaints, ==, 0);
}

static VkResult create_device(Vulkan *vulkan, const VkPhysicalDeviceFeatures2 *features)
{
    float priority = 1;
    const VkDeviceQueueCreateInfo queue = {
        VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueCount = 1,
        .pQueuePriorities = &priority,
    };
    const VkDeviceCreateInfo info = {
        VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = features,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue,
    };
    return vkCreateDevice(vulkan->gpu, &info, NULL, &vulkan->device);
}

/* A device with timeline semaphores and vkQueueSubmit2. */
static void open_device(Vulkan *vulkan)
{
    VkPhysicalDeviceSynchronization2Features synchronization = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES, .synchronization2 = VK_TRUE};
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES, &synchronization, VK_TRUE};
    VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &timeline};
    g_assert_cmpint(create_device(vulkan, &features), ==, VK_SUCCESS);
    vkGetDeviceQueue(vulkan->device, 0, 0, &vulkan->queue);
}

static void set_fault(const char *name, const char *value)
{
    g_autofree char *variable = g_strconcat("DPCXR_FAULTY_", name, NULL);
    if (value)
        g_setenv(variable, value, TRUE);
    else
        g_unsetenv(variable);
}

static void clear_faults(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
        set_fault(faults[i], NULL);
}

/* FALSE, and the test is skipped, where there is no device to spoil. `vulkan` becomes one that is sound. */
static gboolean open_sound(Vulkan *vulkan, const char *layers)
{
    clear_faults();
    gboolean opened = open_instance(vulkan, layers);
    if (opened && vulkan->gpu && vulkan->properties.apiVersion >= VK_API_VERSION_1_3)
        return TRUE;
    g_test_skip("no Vulkan 1.3 device here");
    if (opened)
        close_instance(vulkan);
    return FALSE;
}

/* In `faulty`, the same as `sound`, but for one fault. */
static gboolean open_pair(Vulkan *sound, Vulkan *faulty, const char *layers, const char *fault,
                          const char *value)
{
    if (!open_sound(sound, layers))
        return FALSE;
    set_fault(fault, value);
    g_assert_true(open_instance(faulty, layers));
    return TRUE;
}

static void close_pair(Vulkan *sound, Vulkan *faulty)
{
    close_instance(faulty);
    close_instance(sound);
    clear_faults();
}

static void test_no_devices(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "NO_DEVICES", "1"))
        return;
    uint32_t n = 7;
    g_assert_cmpint(vkEnumeratePhysicalDevices(faulty.instance, &n, NULL), ==, VK_SUCCESS);
    g_assert_cmpuint(n, ==, 0);
    n = 7;
    g_assert_cmpint(vkEnumeratePhysicalDeviceGroups(faulty.instance, &n, NULL), ==, VK_SUCCESS);
    g_assert_cmpuint(n, ==, 0);
    close_pair(&sound, &faulty);
}

static void test_type(gconstpointer layers)
{
    const struct {
        const char *name;
        VkPhysicalDeviceType type;
    } types[] = {{"discrete", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU},
                 {"integrated", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU},
                 {"virtual", VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU},
                 {"cpu", VK_PHYSICAL_DEVICE_TYPE_CPU}};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        Vulkan sound, faulty;
        if (!open_pair(&sound, &faulty, layers, "TYPE", types[i].name))
            return;
        VkPhysicalDeviceProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
        vkGetPhysicalDeviceProperties2(faulty.gpu, &properties);
        g_assert_cmpint(faulty.properties.deviceType, ==, types[i].type);
        g_assert_cmpint(properties.properties.deviceType, ==, types[i].type);
        /* The rest is the device's own. */
        faulty.properties.deviceType = sound.properties.deviceType;
        g_assert_cmpmem(&faulty.properties, sizeof faulty.properties, &sound.properties,
                        sizeof sound.properties);
        close_pair(&sound, &faulty);
    }
}

static void test_storage_range(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "STORAGE_RANGE_MB", "3"))
        return;
    VkPhysicalDeviceProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    vkGetPhysicalDeviceProperties2(faulty.gpu, &properties);
    g_assert_cmpuint(faulty.properties.limits.maxStorageBufferRange, ==, 3 * MIB);
    g_assert_cmpuint(properties.properties.limits.maxStorageBufferRange, ==, 3 * MIB);
    close_pair(&sound, &faulty);

    /* A limit is lowered, never raised. */
    g_assert_true(open_pair(&sound, &faulty, layers, "STORAGE_RANGE_MB", "8192"));
    g_assert_cmpuint(faulty.properties.limits.maxStorageBufferRange, ==,
                     sound.properties.limits.maxStorageBufferRange);
    close_pair(&sound, &faulty);
}

static void test_no_float64(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "NO_FLOAT64", "1"))
        return;
    VkPhysicalDeviceFeatures true_features, features;
    VkPhysicalDeviceFeatures2 features2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    vkGetPhysicalDeviceFeatures(sound.gpu, &true_features);
    vkGetPhysicalDeviceFeatures(faulty.gpu, &features);
    vkGetPhysicalDeviceFeatures2(faulty.gpu, &features2);
    true_features.shaderFloat64 = true_features.shaderInt64 = VK_FALSE;
    g_assert_cmpmem(&features, sizeof features, &true_features, sizeof true_features);
    g_assert_cmpmem(&features2.features, sizeof features, &true_features, sizeof true_features);
    open_device(&faulty); /* that asks for neither */
    close_pair(&sound, &faulty);
}

/* Not with validation in front, which would object for the layer. */
static void test_float64_refused(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "NO_FLOAT64", "1"))
        return;
    VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    features.features.shaderFloat64 = VK_TRUE;
    g_assert_cmpint(create_device(&faulty, &features), ==, VK_ERROR_FEATURE_NOT_PRESENT);
    features.features = (VkPhysicalDeviceFeatures){.shaderInt64 = VK_TRUE};
    g_assert_cmpint(create_device(&faulty, &features), ==, VK_ERROR_FEATURE_NOT_PRESENT);
    close_pair(&sound, &faulty);
}

static VkResult allocate(Vulkan *vulkan, VkDeviceSize size, VkDeviceMemory *memory)
{
    const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .allocationSize = size};
    return vkAllocateMemory(vulkan->device, &info, NULL, memory);
}

/* Memory of type 0 is given until there are 8 MiB, over all devices, and again once freed. */
static void check_limit_of_8(Vulkan *vulkan)
{
    Vulkan second = {.gpu = vulkan->gpu};
    VkDeviceMemory first, memory, other;
    open_device(vulkan);
    open_device(&second);
    g_assert_cmpint(allocate(vulkan, 5 * MIB, &first), ==, VK_SUCCESS);
    g_assert_cmpint(allocate(&second, 2 * MIB, &other), ==, VK_SUCCESS);
    g_assert_cmpint(allocate(vulkan, MIB + 1, &memory), ==, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    g_assert_cmpint(allocate(vulkan, MIB, &memory), ==, VK_SUCCESS);
    vkFreeMemory(vulkan->device, memory, NULL);
    vkFreeMemory(vulkan->device, VK_NULL_HANDLE, NULL);
    vkFreeMemory(vulkan->device, first, NULL);
    g_assert_cmpint(allocate(vulkan, 6 * MIB, &memory), ==, VK_SUCCESS);
    g_assert_cmpint(allocate(&second, 1, &first), ==, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    vkFreeMemory(vulkan->device, memory, NULL);
    vkFreeMemory(second.device, other, NULL);
    vkDestroyDevice(second.device, NULL);
}

static void test_heap(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "HEAP_MB", "8"))
        return;
    VkPhysicalDeviceMemoryProperties memory;
    VkPhysicalDeviceMemoryProperties2 memory2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    vkGetPhysicalDeviceMemoryProperties(faulty.gpu, &memory);
    vkGetPhysicalDeviceMemoryProperties2(faulty.gpu, &memory2);
    g_assert_cmpuint(memory.memoryHeapCount, >, 0);
    for (uint32_t i = 0; i < memory.memoryHeapCount; i++) {
        g_assert_cmpuint(memory.memoryHeaps[i].size, ==, 8 * MIB);
        g_assert_cmpuint(memory2.memoryProperties.memoryHeaps[i].size, ==, 8 * MIB);
    }
    check_limit_of_8(&faulty);
    close_pair(&sound, &faulty);
}

static void check_budget(Vulkan *vulkan, VkDeviceSize budget, VkDeviceSize usage)
{
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budgets = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 memory = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
                                                &budgets};
    vkGetPhysicalDeviceMemoryProperties2(vulkan->gpu, &memory);
    uint32_t heap = memory.memoryProperties.memoryTypes[0].heapIndex;
    g_assert_cmpuint(budgets.heapBudget[heap], ==, budget);
    g_assert_cmpuint(budgets.heapUsage[heap], ==, usage);
}

/* The layer answers even where the driver has no such extension, so the validation layer is kept out. */
static void test_budget(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "HEAP_MB", "8"))
        return;
    VkDeviceMemory memory;
    open_device(&faulty);
    check_budget(&faulty, 8 * MIB, 0);
    g_assert_cmpint(allocate(&faulty, 3 * MIB, &memory), ==, VK_SUCCESS);
    check_budget(&faulty, 8 * MIB, 3 * MIB);
    vkFreeMemory(faulty.device, memory, NULL);
    check_budget(&faulty, 8 * MIB, 0);
    close_pair(&sound, &faulty);
}

static void test_allocate(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "ALLOCATE_MB", "8"))
        return;
    VkPhysicalDeviceMemoryProperties truth, memory;
    vkGetPhysicalDeviceMemoryProperties(sound.gpu, &truth);
    vkGetPhysicalDeviceMemoryProperties(faulty.gpu, &memory);
    g_assert_cmpuint(truth.memoryHeapCount, ==, memory.memoryHeapCount);
    for (uint32_t i = 0; i < truth.memoryHeapCount; i++)
        g_assert_cmpuint(truth.memoryHeaps[i].size, ==, memory.memoryHeaps[i].size);
    check_limit_of_8(&faulty);
    close_pair(&sound, &faulty);
}

/* With both limits, the smaller one is meant. */
static void test_heap_and_allocate(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_sound(&sound, layers))
        return;
    set_fault("HEAP_MB", "16");
    set_fault("ALLOCATE_MB", "8");
    g_assert_true(open_instance(&faulty, layers));
    check_limit_of_8(&faulty);
    close_pair(&sound, &faulty);
}

static VkSemaphore create_timeline(Vulkan *vulkan)
{
    VkSemaphore semaphore;
    const VkSemaphoreTypeCreateInfo type = {VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type};
    g_assert_cmpint(vkCreateSemaphore(vulkan->device, &info, NULL, &semaphore), ==, VK_SUCCESS);
    return semaphore;
}

static VkResult submit(Vulkan *vulkan, VkSemaphore semaphore, uint64_t value, VkFence fence)
{
    const VkTimelineSemaphoreSubmitInfo timeline = {VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                                    .signalSemaphoreValueCount = 1,
                                                    .pSignalSemaphoreValues = &value};
    const VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO, &timeline, .signalSemaphoreCount = 1,
                               .pSignalSemaphores = &semaphore};
    return vkQueueSubmit(vulkan->queue, 1, &info, fence);
}

static VkResult submit2(Vulkan *vulkan, VkSemaphore semaphore, uint64_t value)
{
    const VkSemaphoreSubmitInfo signal = {VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, .semaphore = semaphore,
                                          .value = value, .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 info = {VK_STRUCTURE_TYPE_SUBMIT_INFO_2, .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &signal};
    return vkQueueSubmit2(vulkan->queue, 1, &info, VK_NULL_HANDLE);
}

static VkResult wait(Vulkan *vulkan, VkSemaphore semaphore, uint64_t value, uint64_t timeout)
{
    const VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, .semaphoreCount = 1,
                                      .pSemaphores = &semaphore, .pValues = &value};
    return vkWaitSemaphores(vulkan->device, &info, timeout);
}

static void check_lost(Vulkan *vulkan, VkSemaphore semaphore, VkFence fence)
{
    uint64_t value;
    g_assert_cmpint(submit(vulkan, semaphore, 4, VK_NULL_HANDLE), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(submit2(vulkan, semaphore, 4), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(wait(vulkan, semaphore, 3, FOREVER), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(wait(vulkan, semaphore, 1, 0), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(vkWaitForFences(vulkan->device, 1, &fence, VK_TRUE, FOREVER), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(vkGetFenceStatus(vulkan->device, fence), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(vkGetSemaphoreCounterValue(vulkan->device, semaphore, &value), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(vkQueueWaitIdle(vulkan->queue), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(vkDeviceWaitIdle(vulkan->device), ==, VK_ERROR_DEVICE_LOST);
}

/* `new_submit`: it is vkQueueSubmit2 that meets the loss. */
static void check_loss_after_two(const char *layers, gboolean new_submit)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "LOSE_DEVICE_AFTER", "2"))
        return;
    open_device(&faulty);
    VkSemaphore semaphore = create_timeline(&faulty);
    VkFence fence;
    const VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    g_assert_cmpint(vkCreateFence(faulty.device, &info, NULL, &fence), ==, VK_SUCCESS);

    g_assert_cmpint(submit(&faulty, semaphore, 1, VK_NULL_HANDLE), ==, VK_SUCCESS);
    g_assert_cmpint(submit2(&faulty, semaphore, 2), ==, VK_SUCCESS);
    g_assert_cmpint(wait(&faulty, semaphore, 2, FOREVER), ==, VK_SUCCESS);
    g_assert_cmpint(wait(&faulty, semaphore, 3, 12 * 1000 * 1000), ==, VK_TIMEOUT);
    g_assert_cmpint(vkDeviceWaitIdle(faulty.device), ==, VK_SUCCESS);
    VkResult third = new_submit ? submit2(&faulty, semaphore, 3) : submit(&faulty, semaphore, 3, fence);
    g_assert_cmpint(third, ==, VK_ERROR_DEVICE_LOST);
    check_lost(&faulty, semaphore, fence);

    vkDestroyFence(faulty.device, fence, NULL);
    vkDestroySemaphore(faulty.device, semaphore, NULL);
    close_pair(&sound, &faulty);
}

static void test_loss(gconstpointer layers)
{
    check_loss_after_two(layers, FALSE);
}

static void test_loss2(gconstpointer layers)
{
    check_loss_after_two(layers, TRUE);
}

/* Every device has its own count. */
static void test_loss_at_once(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "LOSE_DEVICE_AFTER", "0"))
        return;
    open_device(&faulty);
    open_device(&sound);
    g_assert_cmpint(vkQueueSubmit(faulty.queue, 0, NULL, VK_NULL_HANDLE), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(vkQueueSubmit(sound.queue, 0, NULL, VK_NULL_HANDLE), ==, VK_SUCCESS);
    g_assert_cmpint(vkQueueWaitIdle(sound.queue), ==, VK_SUCCESS);
    close_pair(&sound, &faulty);
}

typedef struct {
    Vulkan *vulkan;
    VkSemaphore semaphore;
    VkResult result;
} Waiter;

static void *wait_for_one(void *data)
{
    Waiter *waiter = data;
    waiter->result = wait(waiter->vulkan, waiter->semaphore, 1, FOREVER);
    return NULL;
}

/* Who waits already, in another thread, learns of the loss. */
static void test_loss_while_waiting(gconstpointer layers)
{
    Vulkan sound, faulty;
    if (!open_pair(&sound, &faulty, layers, "LOSE_DEVICE_AFTER", "0"))
        return;
    open_device(&faulty);
    Waiter waiter = {&faulty, create_timeline(&faulty)};
    pthread_t thread; /* no GThread, after which g_setenv warns for ever */
    g_assert_cmpint(pthread_create(&thread, NULL, wait_for_one, &waiter), ==, 0);
    g_usleep(20 * 1000); /* so that it most likely waits: the test passes either way */
    g_assert_cmpint(submit(&faulty, waiter.semaphore, 1, VK_NULL_HANDLE), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
    g_assert_cmpint(waiter.result, ==, VK_ERROR_DEVICE_LOST);
    vkDestroySemaphore(faulty.device, waiter.semaphore, NULL);
    close_pair(&sound, &faulty);
}

/* An instance is refused rather than sound by mistake. */
static void test_wrong_variables(gconstpointer layers)
{
    const char *const wrong[][2] = {{"HEAP_MB", "0"},
                                    {"HEAP_MB", "-1"},
                                    {"HEAP_MB", "4 "},
                                    {"ALLOCATE_MB", "1.5"},
                                    {"STORAGE_RANGE_MB", "99999999999999999999"},
                                    {"LOSE_DEVICE_AFTER", "never"},
                                    {"TYPE", "gpu"},
                                    {"NO_DEVICES", "yes"},
                                    {"NO_FLOAT64", "2"},
                                    {"HEAP", "4"}};
    Vulkan vulkan;
    if (!open_sound(&vulkan, layers))
        return;
    close_instance(&vulkan);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        set_fault(wrong[i][0], wrong[i][1]);
        g_test_message("%s=%s", wrong[i][0], wrong[i][1]);
        g_assert_cmpint(create_instance(&vulkan, layers), ==, VK_ERROR_INITIALIZATION_FAILED);
        set_fault(wrong[i][0], NULL);
    }
    set_fault("HEAP_MB", "");
    g_assert_true(open_instance(&vulkan, layers));
    close_instance(&vulkan);
    clear_faults();
}

/* Whoever has no driver has no device: not that the layer were missing. */
static void test_found(gconstpointer layers)
{
    g_assert_true(has_layer(FAULTY));
}

static void add(const char *group, const char *name, const char *layers, GTestDataFunc test)
{
    g_autofree char *path = g_strdup_printf("/faulty-layer/%s/%s", group, name);
    g_test_add_data_func(path, layers, test);
}

static void add_all(const char *group, const char *layers)
{
    add(group, "no-devices", layers, test_no_devices);
    add(group, "type", layers, test_type);
    add(group, "storage-range", layers, test_storage_range);
    add(group, "no-float64", layers, test_no_float64);
    add(group, "heap", layers, test_heap);
    add(group, "allocate", layers, test_allocate);
    add(group, "heap-and-allocate", layers, test_heap_and_allocate);
    add(group, "loss", layers, test_loss);
    add(group, "loss2", layers, test_loss2);
    add(group, "loss-at-once", layers, test_loss_at_once);
    add(group, "loss-while-waiting", layers, test_loss_while_waiting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("alone", "found", FAULTY, test_found);
    add_all("alone", FAULTY);
    add("alone", "budget", FAULTY, test_budget);
    add("alone", "float64-refused", FAULTY, test_float64_refused);
    add("alone", "wrong-variables", FAULTY, test_wrong_variables);
    if (has_layer(VALIDATION)) {
        add_all("validation-in-front", VALIDATION ":" FAULTY);
        add_all("validation-behind", FAULTY ":" VALIDATION);
        add("validation-behind", "float64-refused", FAULTY ":" VALIDATION, test_float64_refused);
    }
    return g_test_run();
}
