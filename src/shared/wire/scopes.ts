/** Which scopes allow what? Any one of a list suffices. The route table documents them, the edge Worker checks them. */
export const platformAdmin = "platform:admin";
export const tenantAdmin = "tenant:admin";
/** May see how requests were routed (`x-edgewise-route`). A tenant's callers have it if its configuration grants it. */
export const routeRead = "route:read";

/** The platform's admins for every tenant, a tenant's for its own. */
export const anyAdmin: readonly string[] = [platformAdmin, tenantAdmin];
export const platformAdminOnly: readonly string[] = [platformAdmin];
