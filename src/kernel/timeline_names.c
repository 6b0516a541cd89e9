/*
 * timeline_names.c - the usual names of events, by number.
 *
 * As HPACK's static table does for header fields (RFC 7541, appendix A), it
 * lets a timeline of a few events name them in a byte each.  The names are the
 * automatic, recommended and e-commerce events of Google Analytics 4 and
 * Firebase, and those usual in shops', apps' and banks' event tables.
 *
 * The numbers are stored: the table never changes within version 1 of the
 * format.
 */
#include "kernel/timeline_names.h"

#define NAME(text) {text, sizeof(text) - 1}

/* Ascending by bytes, so that numbers have the names' order. */
const crm_text crm_timeline_known_names[CRM_TIMELINE_KNOWN_NAMES] = {
	NAME("ad_click"),
	NAME("ad_impression"),
	NAME("add_payment_info"),
	NAME("add_shipping_info"),
	NAME("add_to_cart"),
	NAME("add_to_wishlist"),
	NAME("answer"),
	NAME("app_background"),
	NAME("app_close"),
	NAME("app_exception"),
	NAME("app_install"),
	NAME("app_open"),
	NAME("app_remove"),
	NAME("app_start"),
	NAME("app_update"),
	NAME("apply"),
	NAME("appointment"),
	NAME("approve"),
	NAME("balance_inquiry"),
	NAME("begin_checkout"),
	NAME("buy"),
	NAME("call"),
	NAME("campaign_click"),
	NAME("cancel"),
	NAME("cart"),
	NAME("chat"),
	NAME("checkout"),
	NAME("click"),
	NAME("close_account"),
	NAME("collect"),
	NAME("complaint"),
	NAME("complete_registration"),
	NAME("contact"),
	NAME("conversion"),
	NAME("coupon_receive"),
	NAME("coupon_use"),
	NAME("crash"),
	NAME("delivery"),
	NAME("deposit"),
	NAME("download"),
	NAME("email_bounce"),
	NAME("email_click"),
	NAME("email_open"),
	NAME("email_send"),
	NAME("email_unsubscribe"),
	NAME("error"),
	NAME("fav"),
	NAME("favorite"),
	NAME("feedback"),
	NAME("file_download"),
	NAME("first_open"),
	NAME("first_visit"),
	NAME("follow"),
	NAME("form_start"),
	NAME("form_submit"),
	NAME("generate_lead"),
	NAME("impression"),
	NAME("in_app_purchase"),
	NAME("invest"),
	NAME("invite"),
	NAME("join_group"),
	NAME("level_up"),
	NAME("like"),
	NAME("loan_application"),
	NAME("login"),
	NAME("logout"),
	NAME("notification_dismiss"),
	NAME("notification_open"),
	NAME("notification_receive"),
	NAME("notification_send"),
	NAME("offer_accept"),
	NAME("open_account"),
	NAME("order"),
	NAME("order_cancel"),
	NAME("page_view"),
	NAME("pay"),
	NAME("payment"),
	NAME("play"),
	NAME("purchase"),
	NAME("pv"),
	NAME("rating"),
	NAME("redeem"),
	NAME("refund"),
	NAME("register"),
	NAME("reject"),
	NAME("remove_from_cart"),
	NAME("repayment"),
	NAME("return"),
	NAME("review"),
	NAME("save_card"),
	NAME("scan"),
	NAME("screen_view"),
	NAME("scroll"),
	NAME("search"),
	NAME("select_content"),
	NAME("select_item"),
	NAME("select_promotion"),
	NAME("session_end"),
	NAME("session_start"),
	NAME("share"),
	NAME("ship"),
	NAME("sign_in"),
	NAME("sign_out"),
	NAME("sign_up"),
	NAME("sms_send"),
	NAME("store_visit"),
	NAME("subscribe"),
	NAME("survey"),
	NAME("transfer"),
	NAME("tutorial_begin"),
	NAME("tutorial_complete"),
	NAME("uninstall"),
	NAME("unlock_achievement"),
	NAME("unsubscribe"),
	NAME("update_profile"),
	NAME("upgrade"),
	NAME("user_engagement"),
	NAME("video_complete"),
	NAME("video_progress"),
	NAME("video_start"),
	NAME("view"),
	NAME("view_cart"),
	NAME("view_item"),
	NAME("view_item_list"),
	NAME("view_promotion"),
	NAME("view_search_results"),
	NAME("visit"),
	NAME("withdrawal"),
};

int
crm_timeline_known_name(crm_text name)
{
	int			low = 0,
				high = CRM_TIMELINE_KNOWN_NAMES;

	while (low < high)
	{
		int			middle = (low + high) / 2,
					order = crm_text_compare(crm_timeline_known_names[middle], name);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}
